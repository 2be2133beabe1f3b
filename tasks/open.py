"""Open a job for a flow: its run directory claimed, its executor made, its progress told to Prefect."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polyculture.compute.executor import make_executor
from polyculture.job import Command
from polyculture.steps.open import claimed
from polyculture.steps.session import Session
from polyculture.steps.top_up import TopUpRequest, claimed_top_up
from polyculture.top_up.job import TopUpJob
from tasks.progress import PrefectProgress


@contextmanager
def opened(command: Command, config: str, out: str | None, workers: int | None) -> Iterator[Session]:
    """A checked job under way, that holds its run directory until the end of the block.

    Args:
        command: run, audit or pilot.
        config: path of the configuration file.
        out: run directory; its default if None.
        workers: of the executor; one per core if None.

    Raises:
        ConfigError: the configuration, an input or the run directory is not fit.
        RunInUseError: another process holds the run directory.
    """
    with (
        claimed(command, Path(config), Path(out) if out else None) as job,
        make_executor(workers or os.cpu_count() or 1) as executor,
    ):
        yield Session(job, executor, PrefectProgress())


@contextmanager
def opened_top_up(asked: TopUpRequest, workers: int | None) -> Iterator[tuple[Session, TopUpJob]]:
    """A checked top-up under way; arguments and errors as of `opened`, and a parent that is not fit."""
    with claimed_top_up(asked) as top_up, make_executor(workers or os.cpu_count() or 1) as executor:
        yield Session(top_up.job, executor, PrefectProgress()), top_up
