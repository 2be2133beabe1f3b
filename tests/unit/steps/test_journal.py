"""The journal says which job was opened, how far it came, and how it ended."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from polyculture.errors import Stopped
from polyculture.steps.journal import Journal
from schemas.journal import JobRun, JournalEntry

RUN = JobRun(id="0" * 32, job="curate", name="curate small")


def made(tmp_path: Path) -> tuple[Journal, Path]:
    path = tmp_path / "journal.jsonl"
    return Journal(path, lambda *_: None), path


def ended(path: Path) -> list[tuple[str, str, str]]:
    entries = [JournalEntry.model_validate_json(line) for line in path.read_text().splitlines()]
    return [(entry.event, entry.step, entry.message) for entry in entries]


def read(source: str) -> str:
    return source


def interrupt(_: str) -> None:
    raise Stopped


def interrupt_twice(_: str) -> None:
    """Be stopped, and fail while files are closed for it."""
    try:
        raise Stopped
    finally:
        os.close(-1)


def test_a_job_that_ends_is_kept_with_its_outcome(tmp_path: Path) -> None:
    journal, path = made(tmp_path)
    assert journal.run_job(RUN, lambda: journal.run(read, "pages"), lambda found: ("GO", found)) == "pages"
    assert ended(path) == [
        ("opened", "", ""),
        ("begun", "read pages", ""),
        ("done", "read pages", ""),
        ("ended", "GO", "pages"),
    ]


def test_a_job_that_fails_is_kept_with_its_reason(tmp_path: Path) -> None:
    journal, path = made(tmp_path)
    with pytest.raises(ZeroDivisionError):
        journal.run_job(RUN, lambda: 1 // 0, str)  # type: ignore[arg-type]  # never called
    assert ended(path)[-1] == ("failed", "", "integer division or modulo by zero")


@pytest.mark.parametrize(
    ("stop", "steps", "words"),
    [
        (interrupt, 0, "during interrupt samples, before a step was done"),
        (interrupt, 1, "during interrupt samples; 1 step was done, the last of them read 0"),
        (interrupt, 3, "during interrupt samples; 3 steps were done, the last of them read 2"),
        (interrupt_twice, 1, "during interrupt_twice samples; 1 step was done, the last of them read 0"),
    ],
)
def test_a_job_that_is_stopped_says_what_it_reached(
    stop: Callable[[str], None], steps: int, words: str, tmp_path: Path
) -> None:
    journal, path = made(tmp_path)

    def job() -> None:
        for number in range(steps):
            journal.run(read, str(number))
        journal.run(stop, "samples")

    with pytest.raises(Stopped, match=words):
        journal.run_job(RUN, job, str)  # type: ignore[arg-type]  # never called
    assert [(event, said) for event, _, said in ended(path)[-1:]] == [("stopped", words)]
    assert ended(path)[-2][0] == "stopped"


def test_a_line_that_a_kill_cut_off_costs_no_other(tmp_path: Path) -> None:
    journal, path = made(tmp_path)
    journal.log("before")
    whole = path.read_text()
    path.write_text(whole + whole[: len(whole) // 2])
    made(tmp_path)[0].log("after")
    lines = path.read_text().splitlines()
    assert [JournalEntry.model_validate_json(lines[n]).message for n in (0, 2)] == ["before", "after"]
