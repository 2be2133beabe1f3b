"""Worth of a finished run: of its own mixture, or of what an audit read, from its ledger."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from polyculture.measure.ledger.ledger import Ledger
from polyculture.mixture.plan.worth import Taken, mixture_worth, named, source_worth, twin_worth, worth_rows
from schemas.measures import Stage
from schemas.worth import Worth

Floats = NDArray[np.float64]


def run_worth(ledger: Ledger, draws: pa.Table | None) -> Worth | None:
    """Worth of a run.

    Args:
        ledger: its ledger. Copies are counted in the mixture itself, repeats included; in an audit, in what was read.
        draws: REPETITION_SCHEMA, the documents drawn for the verdict; None where there are none.

    Returns:
        None if no lens of worth was measured. Tenths of a second.
    """
    names = ledger.header.sources
    held = next((s for s in (Stage.MIXTURE, Stage.DISTINCT, Stage.INPUT) if _tokens(ledger, s) is not None), None)
    tokens = _tokens(ledger, held) if held is not None else None
    if held is None or tokens is None:
        return None
    once = _tokens(ledger, Stage.DISTINCT) if held is Stage.MIXTURE else tokens
    once = tokens if once is None else once
    epochs = np.divide(tokens, once, out=np.zeros(len(tokens)), where=once > 0)
    others = []
    drawn_at = Stage.INPUT if held is Stage.INPUT else Stage.DISTINCT
    if draws is not None:
        mine = draws.filter(pc.field("stage") == drawn_at.value)
        others = [found for found in [twin_worth(mine, names, Taken(once, epochs, epochs))] if found is not None]
    as_held = Taken(tokens, (tokens > 0).astype(np.float64), epochs)
    worth = mixture_worth(worth_rows(ledger, held), as_held, others)
    return worth if worth is None else worth.model_copy(update={"last_epoch": _last_epochs(ledger, once, epochs)})


def _last_epochs(ledger: Ledger, once: Floats, epochs: Floats) -> dict[str, float]:
    """Worth of the last epoch of each source, foreseen from what is distinct; empty in an audit."""
    rows, taken = worth_rows(ledger, Stage.DISTINCT), Taken(once, epochs, epochs)
    foreseen = mixture_worth(rows, taken)
    return {} if foreseen is None else named(ledger.header.sources, source_worth(rows, foreseen, taken)[1])


def _tokens(ledger: Ledger, stage: Stage) -> Floats | None:
    """(sources,) tokens of a stage, by the lens that says something about most; None if it was not measured."""
    found = [population.tokens for population in ledger.header.populations if population.stage is stage]
    return np.max(found, axis=0).astype(np.float64) if found else None
