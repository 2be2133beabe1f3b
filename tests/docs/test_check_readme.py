"""The figures in README against what the demo wrote, on runs that are made up."""

from pathlib import Path

import pytest

from docs import check_readme
from docs.check_readme import (
    README,
    differences,
    finished,
    picture_differences,
    place_of,
    prose_differences,
    quotations,
    shown_words,
)
from schemas.verdict import Verdict, VerdictValue
from tests.unit.report.fakes import a_case

PRINTED = """source  kind   read
a       web  11,500
all          11,500
left    out       1
NO-GO  59.7 % of the tokens are narrow (limit 4 %); judged by words only
  near  a 59.4 %: 30,000 documents say about 2,000 things
"""
QUOTED = """Some words.

```
$ polyculture run configs/demo_curated.yaml
source  kind  read
a       web   11,500
all           11,500
...
NO-GO  59.7 % of the tokens are narrow (limit
       4 %); judged by words only
  ...
```
"""


@pytest.fixture(autouse=True)
def _no_prose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_readme, "prose_differences", lambda *_: [])


def asked(readme: str, printed: str = PRINTED) -> list[str]:
    return list(differences(readme, Path("runs"), lambda _: printed))


def test_what_is_quoted_may_leave_out_lines_and_be_folded_otherwise() -> None:
    assert asked(QUOTED) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("11,500\nall", "11,501\nall", "a web >>11,501 all 11,500<< but >>11,500 all"),
        ("59.7 %", "59.8 %", ">>59.8 %"),
        ("(limit\n", "(limit roughly\n", ">>roughly"),
        ("...\nNO-GO", "NO-GO", ">>NO-GO"),
        ("judged by words only\n", "judged by words only\nGO\n", ">>GO<<"),
    ],
)
def test_every_figure_and_every_gap_that_is_not_marked_is_a_difference(old: str, new: str, words: str) -> None:
    assert old in QUOTED
    [difference] = asked(QUOTED.replace(old, new))
    assert difference.startswith("`polyculture run configs/demo_curated.yaml` does not print: ")
    assert words in difference


def test_parts_stand_in_the_order_of_the_output() -> None:
    first, second = QUOTED.index("source"), QUOTED.index("NO-GO")
    swapped = QUOTED[:first] + "NO-GO 59.7 %\n...\nsource kind read\n...\n```\n"
    assert second > first
    assert len(asked(swapped)) == 1


def test_a_readme_without_quotations_is_a_difference() -> None:
    assert asked("No command here.") == ["README quotes no command"]


def test_a_run_is_asked_for_its_verdict_and_other_commands_for_what_they_print() -> None:
    runs = Path("/elsewhere")
    assert finished(["run", "configs/demo_as_delivered.yaml"], runs) == ["gate", "/elsewhere/demo-as-delivered"]
    words = ["plan", "runs/demo-curated", "--tokens", "9"]
    assert finished(words, runs) == ["plan", "/elsewhere/demo-curated", "--tokens", "9"]


def test_words_are_found_in_a_row_and_from_a_place_on() -> None:
    words = ["a", "b", "a", "b", "c"]
    assert (place_of(["a", "b"], words, 0), place_of(["a", "b"], words, 1), place_of(["b", "a", "c"], words, 0)) == (
        0,
        2,
        None,
    )


def test_readme_itself_quotes_both_runs_a_what_if_and_a_plan() -> None:
    found = list(quotations(README.read_text()))
    assert [quotation.arguments[0] for quotation in found] == ["run", "run", "what-if", "plan"]
    assert all(quotation.parts for quotation in found)
    assert check_readme.PROSE.search(" ".join(README.read_text().split()))


def test_a_picture_of_another_report_is_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = Verdict.model_construct(verdict=VerdictValue.NO_GO, headline="59.7 % narrow", lines=[])
    monkeypatch.setattr(check_readme, "read_verdict", lambda _: verdict)
    noted = tmp_path / "report.txt"
    assert "notes what it shows" in next(picture_differences(tmp_path, noted))
    noted.write_text(shown_words(tmp_path))
    assert list(picture_differences(tmp_path, noted)) == []
    noted.write_text(shown_words(tmp_path).replace("59.7", "59.6"))
    assert "of another report" in next(picture_differences(tmp_path, noted))


@pytest.mark.parametrize(("said", "problems"), [("93 % 7 %", 0), ("94 % 7 %", 1), ("93 % 8 %", 1), ("none", 1)])
def test_the_percentages_of_the_introduction_are_those_of_the_narrowest_source(
    said: str, problems: int, monkeypatch: pytest.MonkeyPatch
) -> None:

    case = a_case()
    monkeypatch.setattr(check_readme, "read_manifest", lambda _: case.manifest)
    monkeypatch.setattr(check_readme, "read_profile", lambda *_: case.profile)
    scopes = [s for s in case.profile.scopes if (s.stage, s.lens) == ("input", "near")]
    narrow = min(scopes, key=lambda scope: scope.distinct_fraction.value)
    trial, full = (round(100 * value) for value in (narrow.trial(0.01).value, narrow.distinct_fraction.value))
    numbers = {"93 % 7 %": (trial, full), "94 % 7 %": (trial + 1, full), "93 % 8 %": (trial, full + 1)}.get(said)
    text = f"look {numbers[0]} % distinct to a\n1 % trial, and are {numbers[1]} % distinct" if numbers else "nothing"
    assert len(list(prose_differences(text, Path("run")))) == problems
