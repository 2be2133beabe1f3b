"""Probes, species and multiplicities, and what is estimated from them."""

__all__ = [
    "crowded_probes",
    "estimators",
    "heavy",
    "ledger_file",
    "ledger_rows",
    "metrics",
    "multiplicity",
    "probe_matrix",
    "probes",
    "species",
    "species_counts",
]
