"""Probes, species and multiplicities, and what is estimated from them."""
