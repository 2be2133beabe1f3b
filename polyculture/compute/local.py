"""Worker processes on this machine: the executor that every other one is compared with."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Any, Self, TypeVar

from polyculture.errors import PolycultureError

Result = TypeVar("Result")


class Local:
    """Worker processes on this machine. Use it as a context: they start with the first call and end with it."""

    def __init__(self, workers: int) -> None:
        """Use at most `workers` processes at a time."""
        if workers < 1:
            raise ValueError(f"workers must be at least 1, got {workers}")
        self.workers = workers
        spawn = multiprocessing.get_context("spawn")  # forking a process that has threads can hang
        self._pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_start_worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None and not issubclass(kind, Exception):  # a person or the machine stops the run: wait for none
            for worker in multiprocessing.active_children():
                worker.terminate()
        self._pool.shutdown(cancel_futures=True)

    def run(self, function: Callable[..., Result], calls: Sequence[tuple[Any, ...]]) -> Iterator[Result]:
        """Results of `function(*call)` for each call, in the order of the calls; several threads may share the workers.

        Args:
            function: a module-level function; its arguments and result are plain data, as they cross processes.
            calls: the arguments of each call.

        Raises:
            PolycultureError: a worker process died, for want of memory as a rule.
            Exception: whatever a call raises.
        """
        futures: list[Future[Result]] = []
        try:
            futures += [self._pool.submit(function, *call) for call in calls]
            for future in futures:
                yield future.result()
        except BrokenProcessPool as error:
            raise PolycultureError(
                "a worker process died, probably for want of memory; use fewer workers (--workers) and run again"
            ) from error
        finally:
            for future in futures:
                future.cancel()


def _start_worker() -> None:
    """Keep libraries from starting a thread per core in each worker, and end with the parent however it ends."""
    for name in ("RAYON_NUM_THREADS", "POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
