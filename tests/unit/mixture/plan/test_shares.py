"""Shares: they hold in documents as far as supply and epochs allow, and what binds or was missed is said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from polyculture.errors import ConfigError
from polyculture.mixture.plan.check import check_mixture
from polyculture.mixture.plan.delivery import delivery_warnings
from polyculture.mixture.plan.limits import Supply
from polyculture.mixture.plan.phases import plan_phases
from polyculture.mixture.plan.shares import hold_shares, whole_shares
from polyculture.mixture.plan.weights import Weights, ask_known
from polyculture.report.summary import delivery_rows, phase_rows
from schemas.config import CurationConfig
from schemas.documents import Kind
from schemas.mixture_config import MixtureConfig
from schemas.plan import MixturePlan
from tests.unit.mixture.plan.test_phases import KINDS, all_copies, corpus, planned

NAMES = ("a", "b", "c")
SUPPLIES = [
    Supply("a", Kind.WEB, 9_590, 1.0, 1.0),
    Supply("b", Kind.EXPERT, 410, 1.0, 1.0),
    Supply("c", Kind.SYNTHETIC, 1_000, 1.0, 1.0),
]
LONGEST = 500  # tokens of a document of `corpus`


def plan_of(seed: int = 1, **mixture: object) -> MixturePlan:
    return planned(corpus(seed), MixtureConfig.model_validate(mixture))


def held(shares: dict[str, float], budget: int | None, max_epochs: float = 1.0) -> tuple[list[float], float]:
    supplies = [Supply(s.name, s.kind, s.tokens, 1.0, max_epochs) for s in SUPPLIES]
    _, scaled = hold_shares(supplies, shares, budget)
    return [rate * supply.tokens for rate, supply in zip(scaled.rates, supplies, strict=True)], scaled.tokens


@pytest.mark.parametrize(
    ("budget", "max_epochs", "total"),
    [
        (1_000, 1.0, 1_000),  # every share is there
        (10_000, 1.0, 1_366.67),  # b is used up at 410 tokens, which are 30 %
        (10_000, 4.0, 5_466.67),
        (None, 1.0, 1_366.67),
        (None, 2.5, 3_416.67),
        (1_000, 0.5, 683.33),
    ],
)
def test_the_scarcest_source_decides_the_size_and_the_shares_hold(
    budget: int | None, max_epochs: float, total: float
) -> None:
    tokens, whole = held({"a": 0.7, "b": 0.3, "c": 0.0}, budget, max_epochs)
    assert whole == pytest.approx(total, abs=0.01)
    assert tokens == pytest.approx([0.7 * whole, 0.3 * whole, 0.0])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda found: sum(found) > 0.1),
    st.one_of(st.none(), st.integers(1, 10**7)),
    st.floats(0.1, 20),
)
def test_no_source_passes_its_epochs_no_mixture_its_budget_and_none_could_be_larger(
    weights: list[float], budget: int | None, epochs: float
) -> None:
    shares = {name: weight / sum(weights) for name, weight in zip(NAMES, weights, strict=True)}
    tokens, total = held(shares, budget, epochs)
    caps = [epochs * supply.tokens for supply in SUPPLIES]
    assert total <= (budget or np.inf) * (1 + 1e-9)
    assert all(found <= cap * (1 + 1e-12) for found, cap in zip(tokens, caps, strict=True))
    assert tokens == pytest.approx([shares[name] * total for name in NAMES], rel=1e-6, abs=1e-6)
    is_full = any(cap - found <= 1e-6 * cap for found, cap in zip(tokens, caps, strict=True))
    assert is_full or total == pytest.approx(budget)


share = st.one_of(st.just(0.0), st.floats(0.05, 1))


@settings(max_examples=40, deadline=None)
@given(st.tuples(share, share, st.floats(0.05, 1)), st.integers(0, 1000), st.integers(2_000, 60_000), st.floats(1, 4))
def test_documents_hold_the_shares_within_one_document_of_each_source(
    weights: tuple[float, float, float], seed: int, budget: int, epochs: float
) -> None:
    distinct = corpus(seed)
    shares = {name: weight / sum(weights) for name, weight in zip(NAMES, weights, strict=True)}
    config = MixtureConfig.model_validate({"shares": shares, "tokens": budget, "max_epochs": epochs})
    plan = planned(distinct, config)
    total = min(budget, *(epochs * s.available_tokens / shares[s.name] for s in plan.sources if shares[s.name]))
    copies = all_copies(distinct, plan)
    for number, source in enumerate(plan.sources):
        written = int((copies * distinct.tokens)[distinct.streams.of(number)].sum())
        assert written == source.tokens
        assert shares[source.name] * total - LONGEST - 1 < written <= shares[source.name] * total + 1e-3
        assert source.asked_fraction == pytest.approx(shares[source.name])
        assert source.token_fraction == pytest.approx(written / plan.tokens)
    assert plan.lacking_tokens == pytest.approx(budget - total, abs=1)
    assert bool(plan.lacking_tokens) == any(source.limit for source in plan.sources)


def test_without_max_epochs_nothing_is_repeated_and_the_binding_source_is_named_with_the_ways_out() -> None:
    plan = plan_of(shares={"a": 0.7, "b": 0.2, "c": 0.1}, tokens=60_000)
    supply = plan.sources[0].available_tokens
    assert [source.limit for source in plan.sources] == ["max_epochs", None, None]
    assert max(source.rate for source in plan.sources) == 1
    said = plan.warnings[-1]
    assert said.startswith(f"a limits the mixture: with 1 epoch of its {supply:,} distinct tokens the shares hold in ")
    assert f"{int(supply / 0.7):,} of the 60,000 tokens budgeted; {plan.lacking_tokens:,} lack" in said
    assert f"this budget needs {0.7 * 60_000 / supply:.3g})" in said
    assert f"a share of {100 * supply / 60_000:.3g} % at most" in said
    assert f"`tokens: {int(supply / 0.7)}`" in said
    # each way out is one
    assert plan_of(shares={"a": 0.7, "b": 0.2, "c": 0.1}, tokens=int(supply / 0.7)).lacking_tokens == 0
    assert plan_of(shares={"a": 0.7, "b": 0.2, "c": 0.1}, tokens=60_000, max_epochs=2.03).lacking_tokens == 0
    assert plan_of(shares={"a": 0.34, "b": 0.33, "c": 0.33}, tokens=60_000).lacking_tokens == 0


def test_phases_of_shares_count_epochs_together_and_what_a_later_one_lacks_is_its_own() -> None:
    phases = [
        {"name": "broad", "tokens": 20_000, "shares": {"a": 0.7, "b": 0.2, "c": 0.1}},
        {"name": "anneal", "tokens": 30_000, "shares": {"a": 0.2, "b": 0.8, "c": 0}},
    ]
    plan = plan_of(phases=phases)
    assert [phase.lacking_tokens > 0 for phase in plan.phases] == [False, True]
    assert plan.sources[1].rate == pytest.approx(1.0)
    last = plan.phases[1]
    assert [s.tokens / last.tokens for s in last.sources] == pytest.approx([0.2, 0.8, 0.0], abs=0.02)
    assert "b 0.804 (asked 0.8)" in phase_rows(plan)[2][-1]
    assert any(warning.startswith("anneal: b limits the mixture") for warning in plan.warnings)
    assert plan.sources[0].asked_fraction == pytest.approx((0.7 * 20 + 0.2 * 30) / 50)


def test_what_was_asked_stands_beside_what_is_delivered() -> None:
    of_shares = delivery_rows(plan_of(shares={"a": 0.5, "b": 0.3, "c": 0.2}, tokens=20_000))
    assert of_shares[0] == ["source", "asked", "delivered", "epochs", "tokens"]
    assert [row[1] for row in of_shares[1:]] == ["50.0 %", "30.0 %", "20.0 %", "20,000"]
    plan = plan_of(rates={"a": 1, "b": 0.5, "c": 0})
    of_rates = delivery_rows(plan)
    assert [row[1] for row in of_rates[1:]] == ["1 epoch", "0.5 epochs", "0 epochs", "no budget"]
    assert [row[2] for row in of_rates[1:4]] == [f"{100 * s.tokens / plan.tokens:.1f} %" for s in plan.sources]
    assert [s.token_fraction for s in plan.sources] == pytest.approx([s.tokens / plan.tokens for s in plan.sources])


@pytest.mark.parametrize(
    ("rates", "is_named"),
    [
        ({"a": 0.7, "b": 0.3, "c": 0}, True),
        ({"a": 0.7, "b": 0.2, "c": 0.1}, True),
        ({"a": 0.333, "b": 0.333, "c": 0.333}, True),  # the sources are of different sizes
        ({"a": 70, "b": 20, "c": 10}, True),
        ({"a": 0.7, "b": 0.29}, True),  # c was not thought of
        ({"a": 0.7, "b": 0.5}, False),
        ({"a": 1, "b": 0, "c": 0}, False),
        ({}, False),
    ],
)
def test_rates_that_look_like_shares_and_are_delivered_as_others_are_named(
    rates: dict[str, float], is_named: bool
) -> None:
    config = MixtureConfig.model_validate({"rates": rates})
    plan = plan_of(7, rates=rates)
    found = [sentence for sentence in delivery_warnings(plan, config) if "Rates are epochs, not shares" in sentence]
    assert bool(found) == is_named
    assert found == [sentence for sentence in plan.warnings if "Rates are epochs" in sentence]
    if is_named:
        (sentence,) = found
        assert all(f"{100 * s.tokens / plan.tokens:.3g} %" in sentence for s in plan.sources if rates.get(s.name))
        pasted = dict(part.split(": ") for part in sentence.split("`shares: {")[1].split("}`")[0].split(", "))
        again = MixtureConfig.model_validate({"shares": {name: float(number) for name, number in pasted.items()}})
        assert set(again.shares or {}) == set(NAMES)


def test_shares_of_a_file_that_give_way_to_limits_are_said() -> None:
    weights = Weights({"a": 0.6, "b": 0.3, "c": 0.1}, True, None, "", "f" * 64)
    config = MixtureConfig.model_validate(
        {"rates": {"file": "w.json"}, "tokens": 40_000, "kinds": {KINDS[0].value: {"max_fraction": 0.3}}}
    )
    plan = plan_phases(
        corpus(1), config, (lambda t, s: ask_known(t, s, {"w.json": weights}), lambda *_: None), "0" * 64
    )
    assert [source.asked_fraction for source in plan.sources] == pytest.approx([0.6, 0.3, 0.1])
    (said,) = [warning for warning in plan.warnings if warning.startswith("Shares of the tokens are not as asked")]
    assert "a 60 % asked, 29." in said or "a 60 % asked, 30" in said
    assert "held by max_fraction" in said


def configured(**mixture: object) -> CurationConfig:
    sources = [{"name": n, "kind": k.value, "paths": [n]} for n, k in zip(NAMES, KINDS, strict=True)]
    return CurationConfig.model_validate({"name": "x", "sources": sources, "mixture": mixture})


@pytest.mark.parametrize(
    ("mixture", "words"),
    [
        ({"shares": {"a": 0.7, "b": 0.2, "c": 0.2}}, "sum to 1, give or take 0.001; these sum to 1.1"),
        ({"shares": {"a": 0.7, "b": 0.2, "c": 0.098}}, "these sum to 0.998"),
        ({"shares": {"a": 70, "b": 20, "c": 10}}, "these sum to 100; write 70 % as 0.7"),
        ({"shares": {"a": 0, "b": 0, "c": 0}}, "these sum to 0"),
        ({"shares": {}}, "these sum to 0"),
        ({"shares": {"a": 1.2, "b": -0.2, "c": 0}}, "greater than or equal to 0"),
        ({"shares": {"a": float("nan"), "b": 0.5, "c": 0.5}}, "finite number"),
        ({"shares": {"a": float("inf"), "b": 0, "c": 0}}, "finite number"),
        ({"shares": [0.5, 0.5]}, "write {source: share}"),
        ({"shares": "auto"}, "write {source: share}"),
        ({"shares": {"a": 0.7, "b": 0.3}}, "mixture.shares: no share for c; name every source"),
        ({"shares": {"a": 0.7, "b": 0.2, "x": 0.1}}, "mixture.shares: unknown source 'x'; known: a, b, c"),
        ({"shares": {"a": 1, "b": 0, "c": 0}, "rates": {"a": 1}}, "`shares` and `rates` are both given"),
        ({"shares": {"a": 1, "b": 0, "c": 0}, "rates": "auto"}, "`shares` and `rates` are both given"),
        ({"shares": {"a": 1, "b": 0, "c": 0}, "objective": ["hill_2"]}, "`objective` is what `rates: auto` maximises"),
        ({"shares": {"a": 1, "b": 0, "c": 0}, "phases": [{"name": "p", "tokens": 5}]}, "remove those beside `phases`"),
        (
            {"phases": [{"name": "p", "tokens": 5, "shares": {"a": 0.5, "b": 0.5}}]},
            "mixture.phases.0.shares: no share for c",
        ),
    ],
)
def test_shares_that_are_none_are_refused_in_words(mixture: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as error:
        configured(**mixture)
    assert words in str(error.value)


@pytest.mark.parametrize(
    "limits",
    [
        {"sources": {"a": {"max_fraction": 0.5}}},
        {"sources": {"b": {"min_fraction": 0.4}}},
        {"kinds": {KINDS[0].value: {"max_fraction": 0.6}}},
        {"kinds": {KINDS[2].value: {"min_fraction": 0.2}}},
    ],
)
def test_limits_on_the_same_shares_contradict_them(limits: dict[str, object]) -> None:
    mixture = configured(shares={"a": 0.7, "b": 0.2, "c": 0.1}, **limits).mixture
    with pytest.raises(ConfigError, match=r"mixture\.shares: . ?.*of the tokens, but mixture\.(kinds|sources)"):
        check_mixture(mixture, dict(zip(NAMES, KINDS, strict=True)))


def test_limits_that_allow_the_shares_stand_beside_them() -> None:
    mixture = configured(shares={"a": 0.7, "b": 0.2, "c": 0.1}, sources={"a": {"max_fraction": 0.7, "max_epochs": 3}})
    check_mixture(mixture.mixture, dict(zip(NAMES, KINDS, strict=True)))
    assert plan_of(**mixture.mixture.model_dump(exclude={"phases"})).sources[0].rate == pytest.approx(3.0)


def test_a_share_of_0_leaves_a_source_out_and_thirds_are_thirds() -> None:
    mixture = configured(shares={"a": 0.5, "b": 0.5, "c": 0}).mixture
    assert [mixture.leaves_out(name, kind) for name, kind in zip(NAMES, KINDS, strict=True)] == [False, False, True]
    shares, notes = whole_shares({"a": 0.333, "b": 0.333, "c": 0.333}, SUPPLIES)
    assert shares == pytest.approx(dict.fromkeys(NAMES, 1 / 3))
    assert notes == ["The shares sum to 0.999, not 1: all were divided by it."]
    assert configured(shares=dict.fromkeys(NAMES, 0.333)).mixture.shares


def test_a_share_of_a_source_without_documents_is_refused_unless_there_is_no_document_at_all() -> None:
    empty = [Supply(s.name, s.kind, 0 if s.name == "b" else s.tokens, 1.0, 1.0) for s in SUPPLIES]
    with pytest.raises(ConfigError, match=r"b has the share 0\.3, but no distinct documents; give it 0"):
        whole_shares({"a": 0.7, "b": 0.3, "c": 0.0}, empty)
    nothing = [Supply(s.name, s.kind, 0, 1.0, 1.0) for s in SUPPLIES]
    shares, _ = whole_shares({"a": 0.7, "b": 0.3, "c": 0.0}, nothing)
    assert hold_shares(nothing, shares, 100)[1].tokens == 0
