"""What a run prints of its checks: the first of what many sources have in common."""

import pytest

from cli.display import SHOWN_CHECKS, _print_checks
from cli.terminal import Terminal
from schemas.verdict import CheckResult, Outcome


def check(name: str, source: str, outcome: Outcome = Outcome.FAIL) -> CheckResult:
    return CheckResult(name=name, outcome=outcome, severity="warn", scope=source, message=f"{source} lacks {name}")


def test_what_many_sources_have_in_common_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    lineage = [check("lineage", f"s{number}") for number in range(9)]
    others = [check("lineage", "s9", Outcome.UNKNOWN), check("layout", "s0"), check("layout", "s1")]
    _print_checks(Terminal(), [*lineage[:4], *others, *lineage[4:]], "that warn")
    assert capsys.readouterr().out.splitlines() == [
        "  warning: s0 lacks lineage; and 8 more sources, in the report",
        "  warning: s9 lacks lineage",
        "  warning: s0 lacks layout",
        "  warning: s1 lacks layout",
    ]


def test_each_file_and_all_that_closes_the_gate_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    files = [check(f"truncated of {number}", "s") for number in range(3)]
    files = [each.model_copy(update={"name": "truncated_input"}) for each in files]
    closing = [check("quarantine", f"s{number}").model_copy(update={"severity": "fail"}) for number in range(3)]
    _print_checks(Terminal(), [*files, *closing], "that are shown")
    assert len(capsys.readouterr().out.splitlines()) == 6


def test_what_is_left_out_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    _print_checks(Terminal(), [check(f"c{number}", "s") for number in range(SHOWN_CHECKS + 3)], "that warn")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == SHOWN_CHECKS + 1
    assert lines[-1] == "  and 3 more checks that warn, in the report"
