"""A ledger with more stages: those of a plan that was made from it."""

import pyarrow as pa

from polyculture.measure.ledger.ledger import Ledger


def extended(ledger: Ledger, more: Ledger) -> Ledger:
    """The ledger with the stages of another, measured on the same corpus with the same seed.

    Raises:
        ValueError: they are not of the same sources and settings, or share a stage.
    """
    plain = [found.header.model_copy(update={"populations": []}) for found in (ledger, more)]
    stages = [{population.stage for population in found.header.populations} for found in (ledger, more)]
    if plain[0] != plain[1] or stages[0] & stages[1]:
        raise ValueError("a ledger is extended by other stages of the same corpus, measured in the same way")
    header = more.header.model_copy(update={"populations": ledger.header.populations + more.header.populations})
    rows, heavy = pa.concat_tables([ledger.rows, more.rows]), pa.concat_tables([ledger.heavy, more.heavy])
    return Ledger(header, rows, heavy)
