import re
import sys

import pytest

from cli.progress import LEAST_SILENCE, MOST_SILENCE, Lines, ProgressDisplay, count_words, silence_after


def test_where_there_is_no_terminal_each_stage_is_one_plain_line(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(enabled=True) as display:
        with display.stage("checking a.yaml"):
            pass
        for done in range(1, 1001):
            display.update("shards", done, 1000)
        display.update("documents", 5, None)
        display.update("documents", 7, 7)
        display.update("write report", 0, 1)
        display.update("write report", 1, 1)
    lines = [re.sub(r"\d+\.\d s", "S", line) for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        "checking a.yaml ...",
        "checking a.yaml: S",
        "shards: 1,000, S",
        "documents: 7, S",
        "write report: S",
    ]


def test_nothing_is_shown_to_machines(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(enabled=False) as display, display.stage("loading"):
        display.update("shards", 1, 1)
    assert capsys.readouterr() == ("", "")


def test_a_stage_that_takes_long_is_heard_of_with_what_is_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("cli.progress.time.monotonic", lambda: now)
    lines = Lines()
    lines.update("measure", 0, 1)
    lines.update("shards", 0, 200)
    now = 130.0
    lines.update("shards", 50, 200)
    assert lines.under_way() == "shards: 50 of 200, 30 s, about 1.5 min left ..."
    lines.update("shards", 200, 200)
    assert lines.under_way() == "measure: 30 s ..."
    assert capsys.readouterr().err == "shards: 200, 30 s\n"


def test_silence_is_short_at_first_and_bounded_later() -> None:
    assert [silence_after(0), silence_after(1e6)] == [LEAST_SILENCE, MOST_SILENCE]
    assert LEAST_SILENCE < 3
    lengths = [silence_after(seconds) for seconds in range(0, 3600, 10)]
    assert lengths == sorted(lengths)


@pytest.mark.parametrize(
    ("done", "total", "words"), [(0, 1, ""), (1, 1, ""), (0, None, ""), (5, None, "5"), (1, 2000, "1 of 2,000")]
)
def test_counts_are_said_where_there_are_any(done: int, total: int | None, words: str) -> None:
    assert count_words(done, total) == words


def test_on_a_terminal_there_are_bars(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    with ProgressDisplay(enabled=True) as display, display.stage("loading"):
        display.update("shards\x1b[2J", 500, 1000)
    shown = capsys.readouterr().err
    assert "500 of 1,000" in shown
    assert "loading" in shown
    assert "\x1b[2J" not in shown
