"""The documents of a run: partitions, their index, what lies beside them."""
