"""Diversity at full scale: probes, their multiplicities in the whole corpus, and what follows from them."""
