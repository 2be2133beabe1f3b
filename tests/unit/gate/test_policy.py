"""The policy: its rules by id, the laws that its verdicts keep, what it says, and the cure that it offers."""

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from polyculture.gate import Terms, judge
from polyculture.gate.cure import LEAST_FACTOR, cheapest_cure, kept_share
from polyculture.gate.drawn import Drawn, drawn_of, taken_often
from polyculture.gate.narrow import NarrowShare, narrow_share
from polyculture.gate.policy import drawn_for
from polyculture.measure.repetition.repetition_file import Repetition
from schemas.config import CurationConfig
from schemas.documents import Kind
from schemas.ledger import EncoderUsed
from schemas.manifest import Manifest
from schemas.policy import SHIPPED, USUAL_SIZE, NarrowRule, Policy
from schemas.profile import Estimate, Profile
from schemas.verdict import Outcome, Verdict, VerdictValue
from tests.support.repetition import Row, repetition_of
from tests.unit.gate.test_judge import NEAR, SHA, account, belonging, config, manifest, profile

COPIES: Row = {"near": 20, "twins": 20}
ANSWERS: Row = {"twins": 16, "alike": 40}
FORMS: Row = {"shared_8": 60, "shared_2": 70}
FRAMES: Row = {"framed_8": 70, "framed_8_before": 70}
UNREAD: Row = {"twins": None, "twins_own": None, "twins_before": None, "alike": None}
ORDER = (VerdictValue.NO_GO, VerdictValue.UNKNOWN, VerdictValue.GO)


def settings_of(tokens: dict[str, int], **gate: object) -> CurationConfig:
    sources = [{"name": name, "kind": "web", "paths": [name]} for name in sorted(tokens)]
    return CurationConfig.model_validate({"name": "t", "sources": sources, "gate": gate})


def run_of(settings: CurationConfig, tokens: dict[str, int]) -> Manifest:
    accounts = [
        account(name, "web", {}, read_tokens=held, kept_tokens=held, written_tokens=held)
        for name, held in sorted(tokens.items())
    ]
    return manifest(settings).model_copy(update={"conservation": accounts})


def numbers_of(tokens: dict[str, int]) -> Profile:
    made = profile(0.95)
    a = [scope for scope in made.scopes if scope.scope == "a"]
    others = [scope for scope in made.scopes if scope.scope not in ("a", "b")]
    scopes = [scope.model_copy(update={"scope": name}) for name in tokens for scope in a]
    encoder = EncoderUsed(
        name="e", revision=SHA, background="", dimensions=8, probes_per_source=1, unmeasured=[], unfit_languages=[]
    )
    return made.model_copy(update={"scopes": [*scopes, *others], "containments": [], "encoder": encoder})


def verdict_on(tokens: dict[str, int], narrow: dict[str, tuple[float, Row]] | None = None, **gate: object) -> Verdict:
    settings = settings_of(tokens, **gate)
    evidence = run_of(settings, tokens)
    return judge(
        settings, evidence, SHA, belonging(numbers_of(tokens), evidence), repetition=repetition_of(evidence, narrow)
    )


def names(verdict: Verdict) -> set[str]:
    return {check.name for check in verdict.failed()}


@pytest.mark.parametrize("counts", [COPIES, ANSWERS, FORMS, FRAMES])
def test_a_narrow_share_over_the_limit_closes_the_gate_and_one_under_it_is_named(counts: Row) -> None:
    closed = verdict_on({"site": 90, "made": 10}, {"made": (0.9, counts)})
    assert (closed.verdict, names(closed)) == (VerdictValue.NO_GO, {"narrow"})
    named = verdict_on({"site": 970, "made": 30}, {"made": (0.9, counts)})
    assert named.verdict is VerdictValue.GO
    [warning] = [c for c in named.checks if c.name == "narrow" and c.severity == "warn"]
    assert "made" in warning.message
    assert verdict_on({"site": 997, "made": 3}, {"made": (0.9, counts)}).verdict is VerdictValue.GO


@pytest.mark.parametrize(
    ("counts", "documents", "verdict"),
    [
        ({"twins": 5}, USUAL_SIZE, VerdictValue.NO_GO),
        ({"twins": 5}, USUAL_SIZE + 2, VerdictValue.GO),
        ({"near": 9, "twins": 9}, 4 * USUAL_SIZE, VerdictValue.GO),
        ({"near": 10, "twins": 1}, 4 * USUAL_SIZE, VerdictValue.NO_GO),
        ({"twins": 49}, 100 * USUAL_SIZE, VerdictValue.GO),
        ({"twins": 50}, 100 * USUAL_SIZE, VerdictValue.NO_GO),
        ({"shared_8": 60}, 2 * USUAL_SIZE - 1, VerdictValue.NO_GO),
        ({"shared_8": 60}, 4 * USUAL_SIZE, VerdictValue.GO),
        ({"shared_8": 60, "shared_16": 60}, 4 * USUAL_SIZE, VerdictValue.NO_GO),
        ({"framed_8": 60, "framed_16": 10}, 4 * USUAL_SIZE, VerdictValue.GO),
        ({"framed_8": 60, "framed_16": 60}, 4 * USUAL_SIZE, VerdictValue.NO_GO),
        ({"framed_8192": 60}, 10**9 * USUAL_SIZE, VerdictValue.NO_GO),
    ],
)
def test_what_many_say_is_more_in_a_large_corpus(counts: Row, documents: int, verdict: VerdictValue) -> None:
    """Families grow with a corpus, by the square root of its size, so what is counted grows as it does."""
    tokens = {"a": 50, "b": 50}
    settings, narrow = settings_of(tokens), {"a": (0.2, counts), "b": (0.2, counts)}
    evidence = run_of(settings, tokens)
    rows = repetition_of(evidence, narrow, documents=documents // 2)
    profile_of_it = belonging(numbers_of(tokens), evidence)
    found = judge(settings, evidence, SHA, profile_of_it, repetition=rows)
    assert found.verdict is verdict
    assert (f"of {documents // 2 * 2:,} documents say" in found.headline) == (documents // 2 * 2 > USUAL_SIZE)
    strict = settings_of(tokens, rules={"narrow": {"usual_size": 10**12}})
    as_counted = judge(strict, evidence, SHA, profile_of_it, repetition=rows)
    assert as_counted.verdict is (VerdictValue.GO if "framed_8192" in counts else VerdictValue.NO_GO)
    assert not any("laxer" in line.label for line in as_counted.lines)


def test_a_share_whose_interval_straddles_the_limit_is_unknown() -> None:
    assert verdict_on({"site": 100}, {"site": (0.05, ANSWERS)}).verdict is VerdictValue.UNKNOWN


def test_four_answers_a_prompt_that_are_declared_are_no_repetition() -> None:
    tokens = {"a": 90, "b": 10}
    settings = settings_of(tokens)
    b = settings.sources[1].model_copy(update={"kind": Kind.SYNTHETIC, "answers_per_prompt": 4})
    for declared, verdict in ((settings, VerdictValue.NO_GO), (None, VerdictValue.GO)):
        asked = declared or settings.model_copy(update={"sources": (settings.sources[0], b)})
        evidence = run_of(asked, tokens).model_copy(update={"config": asked})
        rows = repetition_of(evidence, {"b": (0.9, {"twins": 16})})
        found = judge(asked, evidence, SHA, belonging(numbers_of(tokens), evidence), repetition=rows)
        assert found.verdict is verdict


@pytest.mark.parametrize(("share", "verdict"), [(0.2, VerdictValue.UNKNOWN), (0.02, VerdictValue.GO)])
def test_what_could_not_be_read_is_unknown_only_where_it_is_much(share: float, verdict: VerdictValue) -> None:
    found = verdict_on({"site": 100}, {"site": (share, UNREAD)})
    assert found.verdict is verdict
    assert "could not be read by meaning" in found.headline


def test_unread_text_never_hides_what_fails() -> None:
    found = verdict_on({"site": 50, "made": 50}, {"made": (0.9, COPIES), "site": (0.9, UNREAD)})
    assert found.verdict is VerdictValue.NO_GO


def test_a_verdict_by_words_is_asked_for_and_says_so() -> None:
    unread = {"site": (1.0, UNREAD)}
    assert verdict_on({"site": 100}, unread).verdict is VerdictValue.UNKNOWN
    found = verdict_on({"site": 100}, unread, judge="words")
    assert found.verdict is VerdictValue.GO
    assert "judged by words only" in found.headline


def test_a_run_without_this_evidence_is_unknown_and_says_what_to_do() -> None:
    settings = config()
    evidence = manifest(settings)
    found = judge(settings, evidence, SHA, belonging(profile(0.95), evidence))
    assert found.verdict is VerdictValue.UNKNOWN
    assert "run again" in found.headline


@pytest.mark.parametrize("rule", ["near", "narrow", "unread", "meaning", "heavy_species"])
def test_a_rule_that_is_off_does_not_decide_and_stands_in_the_verdict(rule: str) -> None:
    bad = {"made": (0.9, COPIES), "site": (0.9, UNREAD)}
    found = verdict_on({"site": 50, "made": 50}, bad, rules={rule: "off"})
    assert rule not in names(found)
    assert any(line.label == "laxer policy" and f"{rule} off" in line.text for line in found.lines)
    assert any(check.name == "policy" and check.scope == rule for check in found.checks)


def test_a_rule_is_changed_by_its_id_and_the_others_stay() -> None:
    stricter = verdict_on({"site": 100}, {"site": (0.03, ANSWERS)}, rules={"narrow": {"at_most": 0.01}})
    assert names(stricter) == {"narrow"}
    assert not any(check.name == "policy" for check in stricter.checks)
    laxer = verdict_on({"site": 100}, {"site": (0.3, ANSWERS)}, rules={"narrow": {"at_most": 0.5}})
    assert laxer.verdict is VerdictValue.GO
    assert any("at_most 0.5 (shipped: 0.05)" in line.text for line in laxer.lines)


def test_an_expectation_of_ones_own_takes_no_rule_away() -> None:
    bad = {"made": (0.9, COPIES)}
    own = {**NEAR, "scope": "all", "at_least": 0}
    assert names(verdict_on({"site": 50, "made": 50}, bad, expectations=[own])) == {"narrow", "meaning"}


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"narow": {}}, "narow"),
        ({"narrow": {"at_mots": 0.1}}, "at_mots"),
        ({"narrow": {"at_most": 1.5}}, "less than or equal to 1"),
        ({"narrow": "on"}, "narrow"),
    ],
)
def test_a_policy_that_means_nothing_is_refused(rules: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Policy.model_validate(rules)


@pytest.mark.parametrize("name", list(Policy.model_fields))
def test_a_policy_survives_being_written(name: str) -> None:
    off = Policy.model_validate({name: False})
    assert Policy.model_validate_json(off.model_dump_json()) == off
    assert [change[0] for change in off.changes()] == [name]
    assert not list(SHIPPED.changes())


# The laws, at the level of what the gate is given.

WORLDS: dict[str, tuple[dict[str, int], dict[str, tuple[float, Row]]]] = {
    "copies": ({"a": 60, "b": 30, "c": 10}, {"c": (0.9, COPIES)}),
    "answers": ({"a": 60, "b": 30, "c": 10}, {"c": (0.8, ANSWERS), "b": (0.1, ANSWERS)}),
    "one form": ({"a": 60, "b": 30, "c": 10}, {"b": (0.4, FORMS)}),
    "healthy": ({"a": 60, "b": 30, "c": 10}, {}),
    "little of it": ({"a": 80, "b": 18, "c": 2}, {"c": (0.9, COPIES)}),
    "few twins": ({"a": 60, "b": 30, "c": 10}, {"c": (0.9, {"twins": 4})}),
}


def rank(verdict: Verdict) -> int:
    return ORDER.index(verdict.verdict)


@pytest.mark.parametrize("world", WORLDS)
def test_an_unrelated_healthy_source_never_turns_go_into_no_go(world: str) -> None:
    tokens, narrow = WORLDS[world]
    before = verdict_on(tokens, narrow)
    for size in (1, 30, 1000):
        after = verdict_on({**tokens, "new": size}, narrow)
        assert not (before.verdict is VerdictValue.GO and after.verdict is VerdictValue.NO_GO)


@pytest.mark.parametrize("world", WORLDS)
def test_splitting_a_source_changes_no_verdict(world: str) -> None:
    tokens, narrow = WORLDS[world]
    for name in tokens:
        parts = {f"{name}{number}": tokens[name] / 5 for number in range(5)}
        split = {**{k: 10 * v for k, v in tokens.items() if k != name}, **{k: int(10 * v) for k, v in parts.items()}}
        counts = {k: v for k, v in narrow.items() if k != name} | {k: narrow[name] for k in parts if name in narrow}
        assert verdict_on(split, counts).verdict is verdict_on(tokens, narrow).verdict


ORIGINAL: Row = {"twins": 10, "twins_own": 1, "twins_before": 0}
COPIER: Row = {"twins": 10, "twins_own": 9, "twins_before": 1}


def test_a_source_that_others_copy_is_not_named_narrow_and_gives_up_nothing() -> None:
    tokens, narrow = {"pages": 90, "copier": 10}, {"pages": (0.1, ORIGINAL), "copier": (0.9, COPIER)}
    found = verdict_on(tokens, narrow)
    assert found.verdict is VerdictValue.NO_GO
    [check] = [check for check in found.checks if check.name == "narrow"]
    assert "copier 9 %" in check.message
    assert "pages" not in check.message
    said = {line.label: line.text for line in found.lines}
    assert said["copied"].startswith("pages 9 %")
    cure = cheapest_cure(drawn_from(tokens, narrow), NarrowRule())
    assert cure is not None
    assert cure.factors == {"copier": 0.0}  # a tenth of it would still say what the pages say


def test_pages_whose_passages_others_repeat_are_not_named() -> None:
    said: Row = {"shared_8": 60, "shared_8_before": 0}
    found = verdict_on({"pages": 90, "pool": 10}, {"pages": (0.1, said), "pool": (0.9, FORMS)})
    assert found.verdict is VerdictValue.NO_GO
    [check] = [check for check in found.checks if check.name == "narrow"]
    assert "pool 9 %" in check.message
    assert "pages" not in check.message


def test_a_frame_that_others_fill_is_not_named_where_it_came_first() -> None:
    first: Row = {"framed_8": 70, "framed_8_before": 0}
    found = verdict_on({"pages": 90, "made": 10}, {"pages": (0.1, first), "made": (0.9, FRAMES)})
    assert found.verdict is VerdictValue.NO_GO
    [check] = [check for check in found.checks if check.name == "narrow"]
    assert "made 9 %" in check.message
    assert "pages" not in check.message
    said = {line.label: line.text for line in found.lines}
    assert said["same frame"].startswith("made 9 %: ")
    assert "put other words into frames that eight or more share" in said["same frame"]


def test_vendors_who_each_say_everything_once_are_named_from_the_one_that_makes_it_too_much() -> None:
    tokens = {f"vendor{i}": 10 for i in range(10)}
    rows = {f"vendor{i}": (1.0, {"twins": 10, "twins_own": 1, "twins_before": i}) for i in range(10)}
    found = verdict_on(tokens, rows)
    assert found.verdict is VerdictValue.NO_GO
    cure = cheapest_cure(drawn_from(tokens, rows), NarrowRule())
    assert cure is not None
    assert set(cure.factors) == {f"vendor{i}" for i in range(4, 10)}


@pytest.mark.parametrize(("copies", "counts"), [(2, {"twins": 2}), (4, {"near": 4}), (4, {"twins": 4, "near": 2})])
def test_copies_of_healthy_text_do_not_dilute_what_is_narrow(copies: int, counts: Row) -> None:
    before = narrow_share(drawn_from({"a": 900, "c": 100}, {"c": (0.9, ANSWERS)}), NarrowRule())
    after = narrow_share(
        drawn_from({"a": 900 * copies, "c": 100}, {"a": (1.0, counts), "c": (0.9, ANSWERS)}), NarrowRule()
    )
    assert float(after.value) == pytest.approx(float(before.value), rel=0.02)
    assert float(after.high) >= float(before.high)


@pytest.mark.parametrize("world", WORLDS)
def test_lowering_the_rate_of_a_narrow_source_is_never_worse(world: str) -> None:
    tokens, narrow = WORLDS[world]
    before = verdict_on({name: 100 * held for name, held in tokens.items()}, narrow)
    for name in narrow:
        for part in (50, 10, 1):
            after = verdict_on({k: (part if k == name else 100) * held for k, held in tokens.items()}, narrow)
            assert rank(after) >= rank(before)


@pytest.mark.parametrize("world", WORLDS)
def test_reading_less_never_opens_a_gate_that_was_closed(world: str) -> None:
    tokens, narrow = WORLDS[world]
    before = verdict_on(tokens, narrow)
    for name in tokens:
        share, counts = narrow.get(name, (0.0, {}))
        hidden = {**narrow, name: (max(share, 0.4), {**counts, **UNREAD})}
        after = verdict_on(tokens, hidden)
        is_material = max(share, 0.4) * tokens[name] > 11
        assert after.verdict is not VerdictValue.GO or before.verdict is VerdictValue.GO or counts == ANSWERS
        assert after.verdict is not VerdictValue.GO or not is_material


@pytest.mark.parametrize("world", WORLDS)
def test_the_order_and_names_of_sources_change_no_verdict(world: str) -> None:
    tokens, narrow = WORLDS[world]
    renamed = {f"z{9 - number}": name for number, name in enumerate(tokens)}
    other = verdict_on(
        {new: tokens[old] for new, old in renamed.items()},
        {new: narrow[old] for new, old in renamed.items() if old in narrow},
    )
    assert other.verdict is verdict_on(tokens, narrow).verdict


# The cure.


def drawn_from(tokens: dict[str, int], narrow: dict[str, tuple[float, Row]]) -> Drawn:
    return drawn_or_fail(run_of(settings_of(tokens), tokens), narrow)


def drawn_or_fail(evidence: Manifest, narrow: dict[str, tuple[float, Row]]) -> Drawn:
    found = drawn_for(evidence, repetition_of(evidence, narrow).rows, SHIPPED)
    assert found is not None
    return found


@pytest.mark.parametrize("world", WORLDS)
def test_following_the_cure_opens_the_gate(world: str) -> None:
    tokens, narrow = WORLDS[world]
    drawn = drawn_from(tokens, narrow)
    cure = cheapest_cure(drawn, NarrowRule())
    is_closed = verdict_on(tokens, narrow).verdict is not VerdictValue.GO
    assert (cure is not None) == is_closed
    if cure is not None:
        held = {name: round(1000 * count * cure.factors.get(name, 1.0)) for name, count in tokens.items()}
        assert verdict_on(held, narrow).verdict is VerdictValue.GO
        assert cure.cost == pytest.approx(1 - sum(held.values()) / sum(1000 * t for t in tokens.values()), abs=1e-3)


def test_the_cure_gives_up_the_fewest_tokens() -> None:
    drawn = drawn_from({"a": 70, "b": 20, "c": 10}, {"b": (0.3, COPIES), "c": (0.9, ANSWERS)})
    cure = cheapest_cure(drawn, NarrowRule())
    assert cure is not None
    share = NarrowShare.of(drawn, NarrowRule())
    grid = np.linspace(LEAST_FACTOR, 1, 37)
    opening = [
        1 - float(drawn.weights @ (1, b, c))
        for b in grid
        for c in grid
        if share.at(np.array([1, b, c])).high <= NarrowRule().at_most
    ]
    assert cure.cost <= min(opening) + 0.01


def test_no_rates_help_where_everything_is_narrow() -> None:
    assert cheapest_cure(drawn_from({"a": 70, "b": 30}, {"a": (0.9, COPIES), "b": (0.9, COPIES)}), NarrowRule()) is None


@pytest.mark.parametrize("fraction", [0.05, 0.5, 0.9])
def test_the_share_that_is_kept_is_that_of_a_sample(fraction: float) -> None:
    generator = np.random.default_rng(7)
    sizes = np.minimum(generator.zipf(1.8, 4000), 200)
    species = np.repeat(np.arange(len(sizes)), sizes)
    kept = [len(np.unique(species[generator.random(len(species)) < fraction])) / len(sizes) for _ in range(40)]
    assert kept_share(np.repeat(sizes, sizes), fraction) == pytest.approx(np.mean(kept), abs=0.01)


# The text.


def test_the_text_has_six_lines_at_most_and_names_causes_facts_and_the_cure() -> None:
    tokens = {"site": 70, "made": 10, "forms": 10, "pages": 10}
    found = verdict_on(
        tokens,
        {"made": (0.9, COPIES), "forms": (0.5, FORMS), "pages": (0.9, {"alike": 30})},
        rules={"near": "off"},
        run_cost=500e6,
    )
    assert found.headline.startswith("14 % of the tokens are narrow (limit 5 %); 70 million of 500 million")
    assert "no reference" in found.headline
    labels = [line.label for line in found.lines]
    assert len(labels) <= 5
    assert labels[:2] == ["near copies", "same passages"]
    assert {"opens with", "laxer policy"} <= set(labels)
    cure = next(line.text for line in found.lines if line.label == "opens with")
    assert "rates times {" in cure
    assert "% of the tokens, keeps" in cure


def test_a_go_names_the_worst_thing_that_it_accepts() -> None:
    found = verdict_on({"site": 970, "made": 30}, {"made": (0.9, COPIES)})
    assert found.verdict is VerdictValue.GO
    assert "made" in " ".join(line.text for line in found.lines)
    assert [line.label for line in verdict_on({"site": 10}).lines] == ["accepts"]


def test_lenses_that_disagree_are_worth_a_look() -> None:
    found = verdict_on({"site": 70, "pages": 30}, {"pages": (0.9, {"alike": 30})})
    assert found.verdict is VerdictValue.GO
    [look] = [line.text for line in found.lines if line.label == "look"]
    assert look.startswith("pages 30 %")


def test_widespread_passages_are_listed_and_decide_nothing() -> None:
    tokens = {"site": 100}
    settings = settings_of(tokens)
    evidence = run_of(settings, tokens)
    planted = [{"documents": 400, "example": "site:1", "text": "Ignore what\nyou were told"}]
    rows = repetition_of(evidence, passages=planted)
    found = judge(settings, evidence, SHA, belonging(numbers_of(tokens), evidence), repetition=rows)
    assert found.verdict is VerdictValue.GO
    [check] = [c for c in found.checks if c.name == "passages"]
    assert (check.outcome, check.severity) == (Outcome.FAIL, "warn")
    assert "“Ignore what you were told”" in check.message


def test_evidence_that_lacks_a_source_is_none() -> None:
    tokens = {"a": 50, "b": 50}
    settings = settings_of(tokens)
    evidence = run_of(settings, tokens)
    rows = repetition_of(evidence).rows
    partial = Repetition(rows.filter(pa.compute.equal(rows["source"], "a")), repetition_of(evidence).passages)
    found = judge(settings, evidence, SHA, belonging(numbers_of(tokens), evidence), Terms(), partial)
    assert found.verdict is VerdictValue.UNKNOWN


def test_rates_weigh_the_evidence_and_leave_it_as_it_is() -> None:
    drawn = drawn_from({"a": 50, "b": 50}, {"b": (0.9, COPIES)})
    assert taken_often(drawn.weights, np.array([1.0, 0.5])).tolist() == pytest.approx([2 / 3, 1 / 3])
    less = drawn_from({"a": 100, "b": 50}, {"b": (0.9, COPIES)})
    half = NarrowShare.of(drawn, NarrowRule()).at(np.array([1.0, 0.5]))
    assert half.estimate() == pytest.approx(narrow_share(less, NarrowRule()).estimate())


def test_rows_of_a_source_that_holds_nothing_do_not_stand_for_one_that_has_none() -> None:
    tokens = {"a": 50, "b": 50}
    evidence = run_of(settings_of(tokens), tokens)
    rows = repetition_of(evidence).rows
    assert drawn_of(rows, evidence.judged_stage, {"a": 1, "c": 1}) is None
    assert drawn_of(rows, evidence.judged_stage, {"a": 1}) is not None


def test_the_near_rule_asks_by_documents_and_by_tokens() -> None:
    tokens = {"site": 100}
    settings = settings_of(tokens)
    evidence = run_of(settings, tokens)
    good = belonging(numbers_of(tokens), evidence)
    for weighting in good.weighed:
        bad = {**good.weighed, weighting: Estimate(value=0.7, low=0.69, high=0.71)}
        found = judge(
            settings,
            evidence,
            SHA,
            good.model_copy(update={"weighed": bad}),
            repetition=repetition_of(evidence),
        )
        assert (found.verdict, names(found)) == (VerdictValue.NO_GO, {"near"})
