"""A piece of work that takes too long is stopped, in Python or in a library; the others are done all the same."""

import errno
import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest

from polyculture.compute.executor import make_executor
from polyculture.compute.watchdog import MOST_ENDS, OverdueError, Watchdog, forget_notes
from polyculture.errors import OutputError, PolycultureError
from tests.support.processes import ROOT, wait_until

SECONDS = 0.2


def double(value: int) -> int:
    return 2 * value


def loop(_: int) -> int:
    while True:
        pass


def backtrack(_: int) -> int:
    return len(re.findall(r"(a+)+$", "a" * 40 + "b"))


def hang(_: int) -> int:
    """Never leave a library, which knows nothing of signals."""
    deque(itertools.repeat(0), maxlen=0)
    return 0


SLOW: dict[str, Callable[[int], int]] = {"loop": loop, "pattern": backtrack, "library": hang}


def work(slow: dict[int, str], pieces: int, notes: Path) -> list[int | None]:
    """Twice the number of each piece, None for one that is overdue."""
    found: list[int | None] = []
    with Watchdog(SECONDS, notes) as watchdog:
        for number in range(pieces):
            try:
                found.append(watchdog.run(SLOW[slow[number]] if number in slow else double, number))
            except OverdueError:
                found.append(None)
            if watchdog.is_spent:
                break
    return found


@pytest.mark.parametrize("slow", [loop, backtrack], ids=["loop", "pattern"])
def test_python_and_patterns_are_stopped_in_the_process_itself(slow: Callable[[int], int]) -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    with Watchdog(SECONDS) as watchdog:
        assert watchdog.run(double, 4) == 8
        with pytest.raises(OverdueError, match=r"over 0\.2 seconds of CPU time"):
            watchdog.run(slow, 0)
        assert watchdog.run(double, 5) == 10
        with pytest.raises(ZeroDivisionError):
            watchdog.run(lambda: 1 // 0)
        assert signal.getitimer(signal.ITIMER_VIRTUAL) == signal.getitimer(signal.ITIMER_PROF) == (0, 0)
    assert signal.getsignal(signal.SIGVTALRM) == before


def test_waiting_costs_nothing() -> None:
    with Watchdog(0.05) as watchdog:
        watchdog.run(time.sleep, 0.3)


def test_threads_beside_the_main_one_work_unwatched() -> None:
    found: list[int] = []

    def beside() -> None:
        with Watchdog(SECONDS) as watchdog:
            found.append(watchdog.run(double, 4))

    thread = threading.Thread(target=beside)
    thread.start()
    thread.join()
    assert found == [8]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_library_that_does_not_come_back_costs_its_piece_and_no_other(workers: int, tmp_path: Path) -> None:
    slow = [{3: "library"}, {}, {0: "loop", 2: "library", 4: "pattern"}]
    calls = [(mine, 6, tmp_path / str(number)) for number, mine in enumerate(slow)]
    with make_executor(workers) as executor:
        found = list(executor.run(work, calls))
    assert found == [[None if piece in mine else 2 * piece for piece in range(6)] for mine in slow]


def test_a_call_that_ends_too_many_processes_is_told_to_give_up(tmp_path: Path) -> None:
    notes = tmp_path / "call"
    (tmp_path / "call.overdue").write_text("\n".join(map(str, range(1, MOST_ENDS + 1))))
    assert work({}, 20, notes) == [None] * MOST_ENDS
    forget_notes(notes)
    assert work({}, 20, notes) == [2 * piece for piece in range(20)]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies_of_something_else_is_not_replaced() -> None:
    with make_executor(1) as executor, pytest.raises(PolycultureError, match="want of memory"):
        list(executor.run(die, [()]))


HANGING = """
import os, signal, sys
from pathlib import Path
from polyculture.compute.executor import make_executor
from polyculture.errors import Stopped
from tests.unit.compute.test_watchdog import hang_and_tell

def stop(*_):
    raise Stopped

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    try:
        with make_executor(1) as executor:
            list(executor.run(hang_and_tell, [(Path(sys.argv[1]),)]))
    except Stopped:
        sys.exit(7)
"""


def hang_and_tell(told: Path) -> None:
    told.write_text(str(os.getpid()))
    hang(0)


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_inside_a_library_ends_with_the_command(sent: signal.Signals, tmp_path: Path) -> None:
    script, told = tmp_path / "hanging.py", tmp_path / "told"
    script.write_text(HANGING)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, str(script), str(told)], env=environment) as process:
        wait_until(lambda: told.exists() and told.read_text() != "", 60, "the worker")
        worker = int(told.read_text())
        process.send_signal(sent)
        assert process.wait(60) == (7 if sent == signal.SIGTERM else -signal.SIGKILL)
    wait_until(lambda: not is_alive(worker), 60, "the end of the worker")


def test_notes_that_cannot_be_written_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("polyculture.compute.watchdog.os.open", full)
    with pytest.raises(OutputError, match=r"notes: cannot be written: No space left on device; .*same command again"):
        Watchdog(1.0, tmp_path / "notes").__enter__()
