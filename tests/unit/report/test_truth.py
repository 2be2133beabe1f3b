"""Numbers on the first screen: those of what an audit measured, and of what a takedown left."""

from pathlib import Path

import pytest

from cli.display import print_verdict
from polyculture.report.render import render_report
from polyculture.report.summary import source_rows, written_words
from polyculture.storage.run_directory import RunDirectory
from schemas.manifest import Manifest, TakedownAccount
from tests.unit.report.fakes import Case, a_case


def audit_of(case: Case) -> Manifest:
    """The same input, audited: everything that was read and not quarantined or filtered is unselected."""
    accounts = []
    for account in case.manifest.conservation:
        measured = account.read - sum(account.quarantined.values()) - sum(account.filtered.values())
        nothing = dict.fromkeys(("kept", "repeated", "written", "removed_tokens", "kept_tokens", "written_tokens"), 0)
        left = {"unselected": measured, "unselected_tokens": account.read_tokens, "removed": {}}
        accounts.append(account.model_copy(update={**nothing, **left}))
    return case.manifest.model_copy(update={"command": "audit", "plan": None, "conservation": accounts})


def test_an_audit_says_what_it_measured() -> None:
    case = a_case()
    manifest = audit_of(case)
    header, *rows = source_rows(manifest, case.profile)
    assert {"removed", "written"}.isdisjoint(header)
    for row, account in zip(rows, manifest.conservation, strict=False):
        assert row[header.index("measured")] == f"{account.unselected:,}" != "0"
        assert row[header.index("tokens")] == f"{account.unselected_tokens:,}" != "0"
    assert rows[-1][header.index("measured")] == f"{sum(a.unselected for a in manifest.conservation):,}"
    page = render_report(manifest, case.profile, case.verdict.model_copy(update={"judged": "input"}))[
        "index.html"
    ].decode()
    assert "<dt>Measured</dt><dd>0</dd>" not in page
    assert "documents, 0 tokens" not in page


def test_a_takedown_says_the_tokens_that_are_left_and_those_that_went(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = a_case(lacking=1_000)
    plan, written = case.manifest.plan, sum(account.written_tokens for account in case.manifest.conservation)
    assert plan is not None
    account = TakedownAccount(
        parent_sha256="0" * 64, lists=[], entries=1, unmatched=0, examples=[], documents=1, rows=1,
        trained_rows={"docs": 1}, trained_tokens=1_234, rewritten=[],
    )  # fmt: skip
    first = case.manifest.conservation[0]
    less = first.model_copy(update={"written_tokens": first.written_tokens - 1_234})
    manifest = case.manifest.model_copy(
        update={"takedown": account, "conservation": [less, *case.manifest.conservation[1:]]}
    )
    assert written_words(case.manifest) == f"written {written:,}"
    assert written_words(manifest) == f"written {written - 1_234:,} after 1,234 were taken down"
    monkeypatch.setattr("cli.display.read_manifest", lambda _: manifest)
    monkeypatch.setattr("cli.display.read_profile", lambda *_: case.profile)
    print_verdict(RunDirectory(Path("some/run")), case.verdict, as_json=False)
    shown = capsys.readouterr().out
    assert f"written {written - 1_234:,} after 1,234 were taken down" in shown
    assert f"written {written:,}" not in shown
    assert "Report: some/run/report/index.html" in shown
    page = render_report(manifest, case.profile, case.verdict)["index.html"].decode()
    assert f"The shards hold {written - 1_234:,}, 1,234 fewer than were planned" in page
