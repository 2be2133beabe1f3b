"""Worker processes on this machine: the executor that every other one is compared with."""

import contextlib
import fcntl
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from polyculture.compute.watchdog import END_SIGNAL, let_end
from polyculture.errors import PolycultureError

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Submitted(Generic[Result]):
    """A call that was handed to a pool."""

    pool: ProcessPoolExecutor
    future: Future[Result]

    @property
    def is_lost(self) -> bool:
        """True if the pool broke before the call was done."""
        return not self.future.done() or isinstance(self.future.exception(), BrokenProcessPool)


class Local:
    """Worker processes on this machine. Use it as a context: they start with the first call and end with it.

    A worker that its watchdog ended (`polyculture.compute.watchdog`) breaks the pool: the calls that were not done run
    again in a new one.
    """

    def __init__(self, workers: int) -> None:
        """Use at most `workers` processes at a time."""
        if workers < 1:
            raise ValueError(f"workers must be at least 1, got {workers}")
        self.workers = workers
        self._lock, self._is_closed = threading.Lock(), False
        self._pool, self._processes = self._new_pool(), set[multiprocessing.process.BaseProcess]()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_closed = True
        if kind is not None and not issubclass(kind, Exception):  # a person or the machine stops the run: wait for none
            for worker in multiprocessing.active_children():
                worker.terminate()
            with contextlib.suppress(OSError):  # a thread of the pool, which finds it broken, closes the same pipes
                self._pool.shutdown(cancel_futures=True)
            return
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
        submitted: list[_Submitted[Result]] = []
        try:
            submitted += [self._submit(function, call) for call in calls]
            for number in range(len(calls)):
                while True:
                    try:
                        result = submitted[number].future.result()
                        break
                    except BrokenProcessPool as error:
                        broken = submitted[number].pool
                        self._renew(broken, error)
                        for other in range(number, len(calls)):
                            if submitted[other].pool is broken and submitted[other].is_lost:
                                submitted[other] = self._submit(function, calls[other])
                yield result
        finally:
            for call in submitted:
                call.future.cancel()

    def _submit(self, function: Callable[..., Result], call: tuple[Any, ...]) -> _Submitted[Result]:
        while True:
            pool = self._pool
            try:
                submitted = _Submitted(pool, pool.submit(function, *call))
            except BrokenProcessPool as error:
                self._renew(pool, error)
            else:
                self._processes.update(multiprocessing.active_children())
                return submitted

    def _renew(self, broken: ProcessPoolExecutor, error: BrokenProcessPool) -> None:
        """Start a new pool if it was a watchdog that broke this one, and nobody has started one yet."""
        with self._lock:
            if self._pool is not broken:
                return
            broken.shutdown()
            if self._is_closed or not any(process.exitcode == -END_SIGNAL for process in self._processes):
                raise PolycultureError(
                    "a worker process died, probably for want of memory; use fewer workers (--workers) and run again"
                ) from error
            self._pool, self._processes = self._new_pool(), set()

    def _new_pool(self) -> ProcessPoolExecutor:
        spawn = multiprocessing.get_context("spawn")  # forking a process that has threads can hang
        return ProcessPoolExecutor(self.workers, mp_context=spawn, initializer=_start_worker)


def _start_worker() -> None:
    """Keep libraries from starting a thread per core in each worker, and end with the parent however it ends."""
    let_end()
    for name in ("RAYON_NUM_THREADS", "POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _end_with_parent_at_once()


def _end_with_parent_at_once() -> None:
    """Let the system end this process with its parent, for a thread waits while a library does not come back."""
    parent = multiprocessing.parent_process()
    if parent is None or not hasattr(os, "O_ASYNC"):
        return
    pipe = int(parent.sentinel)  # signals SIGIO when its other end closes, of which a process ends
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
