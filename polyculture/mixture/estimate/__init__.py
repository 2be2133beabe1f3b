"""Any mixture, estimated from a ledger."""
