"""Processes that are surely gone afterwards, and waiting with an end."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from schemas.journal import JournalEntry

Found = TypeVar("Found")
ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def process_group(arguments: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command in a process group of its own; the whole group is ended with the block."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            arguments,
            env=environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            # Both signals always go out: a child may outlive its parent.
            for number, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 10)):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(seconds)


def run_and_kill(arguments: list[str], environment: dict[str, str], seconds: float) -> bool:
    """Start a command, and SIGKILL its whole process group after some seconds; whether it was still running then."""
    process = subprocess.Popen(
        arguments,
        env=environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def is_group_alive(group: int) -> bool:
    """True while a process group has a member."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def journal_of(run: Path) -> list[JournalEntry]:
    """The journal of a run directory."""
    lines = (run / "state" / "journal.jsonl").read_text().splitlines()
    return [JournalEntry.model_validate_json(line) for line in lines]


def wait_until(check: Callable[[], Found], seconds: float, what: str) -> Found:
    """The first true value of `check`, which may raise OSError until then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if found := check():
                return found
        time.sleep(0.3)
    raise TimeoutError(f"waited {seconds:.0f} s for {what}")
