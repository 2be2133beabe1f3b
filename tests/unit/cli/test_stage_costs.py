import re

import pytest

from cli.stage_costs import StageCosts


def test_what_is_spent_is_charged_to_the_stage_under_way(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spent, now = 10.0, 100.0
    monkeypatch.setattr("cli.stage_costs.tree_cpu_seconds", lambda: spent)
    monkeypatch.setattr("cli.stage_costs.time.monotonic", lambda: now)
    heard: list[tuple[str, int, int | None]] = []
    costs = StageCosts(lambda *what: heard.append(what))
    for what, done, total, cost in (
        ("ingest a", 0, 1, 1.0),  # between stages
        ("ingest b", 0, 1, 2.0),
        ("documents", 5, 10, 1.0),
        ("ingest a", 1, 1, 3.0),
        ("ingest b", 1, 1, 4.0),
        ("measure", 0, 1, 0.0),
        ("probes", 0, 1, 2.0),  # a part of a stage
        ("probes", 1, 1, 6.0),
        ("measure", 1, 1, 1.0),
    ):
        spent, now = spent + cost, now + 2 * cost
        costs.update(what, done, total)
    costs.print(100)
    lines = [re.split(r"\s{2,}", line.strip()) for line in capsys.readouterr().err.splitlines()]
    assert [line[0] for line in lines[1:5]] == ["between stages", "ingest", "measure", "all"]
    assert [float(re.split(r"\s+", " ".join(line[1:]))[0]) for line in lines[1:5]] == [1.0, 10.0, 9.0, 20.0]
    assert lines[4][-1] == "40.00"
    assert lines[5] == ["100 documents, 5 a CPU second"]
    assert len(heard) == 9
