"""Start a flow in this process. Importing this module imports Prefect."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from prefect import tags

from flows.audit import audit
from flows.curate import curate
from schemas.verdict import Verdict
from tasks.progress import listen

FLOWS = {"curate": curate, "audit": audit}


def run_flow(
    name: Literal["curate", "audit"],
    config: Path,
    out: Path,
    workers: int | None,
    progress: Callable[[str, int, int], None],
) -> Verdict:
    """Run a flow to its end and return the verdict.

    Raises:
        Exception: whatever the flow raised.
    """
    listen(progress)
    with tags("polyculture", f"config:{config.stem}"):
        verdict = FLOWS[name](str(config), str(out), workers)
    return Verdict.model_validate(verdict)
