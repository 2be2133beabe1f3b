"""What the tables of the report tell beside the verdict: waivers, ratios, words, pairs and examples."""

import pytest

from cli.display import print_sources
from cli.terminal import Terminal
from polyculture.measure.ledger.examples import SNIPPET_CHARACTERS, snippet
from polyculture.measure.lexical.measures import LEXICAL_MEASURES
from polyculture.report.containment import containment_heatmap, listed_pairs
from polyculture.report.summary import source_rows
from schemas.documents import Kind
from schemas.lexical import LexicalScope, LexicalValue
from schemas.measures import Lens, Stage
from schemas.profile import HeavySpecies
from schemas.verdict import CheckResult, VerdictValue
from tests.unit.report.fakes import Case, a_case, a_profile, a_verdict, many
from tests.unit.report.test_render import PAYLOADS, Page, page_of, rendered_of


def with_checks(**changes: object) -> tuple[str, Page]:
    """The page of a case with one expectation, changed."""
    case = a_case()
    check = next(c for c in case.verdict.checks if c.name == "expectation").model_copy(update=changes)
    changed = Case(case.manifest, case.profile, a_verdict(case.profile, VerdictValue.GO, [check]))
    return rendered_of(changed)["index.html"].decode(), page_of(changed)


@pytest.mark.parametrize("payload", PAYLOADS[:8])
def test_a_waiver_is_shown_with_who_why_and_until_when_as_text(payload: str) -> None:
    waiver = f"waived by Ada until 2026-03-01: {payload}"
    page, parsed = with_checks(severity="warn", waiver=waiver, message=f"too narrow; {waiver}")
    assert ">waived</span>" in page
    assert "<b>Waived by Ada until 2026-03-01: " in page
    assert "script" not in parsed.tags
    assert page.count("Ada") == 1  # not twice in one row


@pytest.mark.parametrize(
    ("relative_to", "words"), [("reference", "over the reference"), ("last_go", "over the last GO")]
)
def test_a_ratio_says_what_it_is_relative_to_and_what_was_weighted(relative_to: str, words: str) -> None:
    page, _ = with_checks(relative_to=relative_to, weighting="tokens", observed=0.5, low=0.4, high=0.6)
    assert words in page
    assert "by tokens" in page
    assert "0.500 ×" in page


def test_a_count_is_not_shown_as_a_fraction() -> None:
    page, _ = with_checks(metric="hill_1", observed=12345.678, low=12000.2, high=12700.9)
    assert ">12,346<br>" in page
    assert "[12,000, 12,701]" in page


def a_species(text: str | None) -> HeavySpecies:
    return HeavySpecies(
        stage=Stage.MIXTURE,
        lens=Lens.TEMPLATE,
        example="a:1",
        documents=60,
        tokens=900,
        sources={"a": 60},
        snippet=text,
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_how_a_large_species_begins_stays_text(payload: str) -> None:
    case = a_case()
    species = [a_species(snippet(payload)), a_species(None)]
    page = page_of(Case(case.manifest, case.profile.model_copy(update={"heavy": species}), case.verdict))
    plain = page_of(
        Case(case.manifest, case.profile.model_copy(update={"heavy": [a_species("x"), a_species(None)]}), case.verdict)
    )
    assert page.tags == plain.tags
    assert "keeps no text of it" in " ".join(page.text)


def test_a_snippet_is_one_line_of_at_most_two_hundred_characters() -> None:
    assert snippet(" a\n\n b\t") == "a b"
    assert snippet("x" * 200) == "x" * 200
    for text in ("x" * 201, "a " * 500, "\n" * 10_000 + "x"):
        assert len(snippet(text)) <= SNIPPET_CHARACTERS
        assert snippet(text).endswith("…")


def lexical_scope(name: str, kind: Kind, **changes: object) -> LexicalScope:
    value = LexicalValue(value=0.5, low=0.4, high=0.6, blocks=8)
    return LexicalScope.model_validate(
        {
            "stage": "distinct", "scope": name, "kind": kind, "language": "en", "block_words": 50_000,
            "block_bytes": 250_000, "block_documents": 250, "measures": dict.fromkeys(LEXICAL_MEASURES, value),
        }
        | changes
    )  # fmt: skip


def test_words_far_from_human_text_are_marked_and_what_is_unmeasured_says_why() -> None:
    case = a_case()
    names = [account.name for account in case.manifest.conservation]
    far = LexicalValue(value=3.0, low=2.9, high=3.1, blocks=8)
    ratios = dict.fromkeys(LEXICAL_MEASURES, None) | {"distinct_1": far}
    found = [
        lexical_scope(names[0], Kind.SYNTHETIC, ratios=ratios, human={"template_share": None}),
        lexical_scope(names[1], Kind.SYNTHETIC, uncompared="it is too small", measures=dict.fromkeys(LEXICAL_MEASURES)),
    ]
    profile = case.profile.model_copy(update={"lexical": found})
    page = rendered_of(Case(case.manifest, profile, case.verdict))["index.html"].decode()
    assert page.count('<td class="n look">3.000 ') == 1
    assert "unmeasured: it is too small" in page
    assert "50,000 words" in page
    assert "Words and their repetition" not in rendered_of(case)["index.html"].decode()  # nothing was measured


def test_twenty_nine_sources_have_numbers_in_their_cells_and_pairs_both_ways() -> None:
    sources = many(29)
    profile = a_profile(sources)
    drawing = containment_heatmap(profile, Stage.INPUT, sorted(source.name for source in sources))
    assert drawing is not None
    assert drawing.width <= 1112  # of the page
    assert drawing.svg.count(">.78</text>") > 10
    pairs = listed_pairs(profile, Stage.INPUT)
    assert len(pairs) == 25
    for pair, other in pairs:
        assert other is not None
        assert (other.of, other.within) == (pair.within, pair.of)
    values = [pair.containment.value for pair, _ in pairs]
    assert values == sorted(values, reverse=True)


def test_a_lexical_check_does_not_claim_that_probes_would_settle_it() -> None:
    case = a_case()
    check = CheckResult(
        name="lexical_ratio", outcome="unknown", severity="fail", scope="docs", metric="distinct_1",  # type: ignore[arg-type]
        observed=2.0, low=1.1, high=3.0, bound="0.8 to 1.25", message="docs: worth a look",
    )  # fmt: skip
    verdict = a_verdict(case.profile, VerdictValue.UNKNOWN, [check])
    text = " ".join(page_of(Case(case.manifest, case.profile, verdict)).text)
    assert "Too few probes" not in text
    assert "Docs: worth a look." in text or "docs: worth a look." in text


def test_what_was_filtered_is_listed_by_reason_and_slots_of_readers_are_told_from_documents() -> None:
    case = a_case()
    page = rendered_of(case)["index.html"].decode()
    for account in case.manifest.conservation:
        documents = f'<td>too_short</td><td class="n">{account.filtered["too_short"]:,}</td>'
        assert f'{documents}<td class="n">{account.filtered_tokens["too_short"]:,}</td>' in page
        slots = f'<td>media_type</td><td class="n">{account.filtered["media_type"]:,}</td>'
        assert f'{slots}<td class="n">no documents</td>' in page


def unfiltered(case: Case) -> Case:
    accounts = [one.model_copy(update={"filtered": {}, "filtered_tokens": {}}) for one in case.manifest.conservation]
    return Case(case.manifest.model_copy(update={"conservation": accounts}), case.profile, case.verdict)


def test_only_a_run_that_filtered_something_has_a_table_and_a_column_of_it() -> None:
    case = a_case()
    assert "What was filtered" not in rendered_of(unfiltered(case))["index.html"].decode()
    without, filtered = (source_rows(one.manifest, one.profile) for one in (unfiltered(case), case))
    assert "filtered" not in without[0]
    place = filtered[0].index("filtered")
    assert [[*row[:place], *row[place + 1 :]] for row in filtered] == without
    numbers = [int(row[place].replace(",", "")) for row in filtered[1:]]
    assert numbers[:-1] == [sum(one.filtered.values()) for one in case.manifest.conservation]
    assert numbers[-1] == sum(numbers[:-1])


@pytest.mark.parametrize("width", [80, 200])
def test_the_table_per_source_fits_the_terminal_in_one_piece_or_two(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    case = a_case()
    rows = source_rows(case.manifest, case.profile)
    print_sources(Terminal(), rows)
    lines = capsys.readouterr().out.rstrip().split("\n")
    assert max(map(len, lines)) <= width
    assert len(lines) == (len(rows) if width == 200 else 2 * len(rows) + 1)
    words = " ".join(lines).split()
    assert all(word in words for row in rows for cell in row for word in cell.split())
