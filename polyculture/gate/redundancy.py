"""Conditions on redundancy that no expectation needs to name: heavy species, answers per prompt, lineage."""

from collections.abc import Iterator, Mapping

from polyculture.gate.conditions import condition, counted
from polyculture.gate.policy import Judged
from schemas.documents import Kind
from schemas.measures import Lens, Stage
from schemas.policy import HeavyRule
from schemas.profile import HeavySpecies, Profile
from schemas.source_config import SourceConfig
from schemas.strict import Severity
from schemas.verdict import CheckResult, Outcome

LENSES = (Lens.EXACT, Lens.NEAR, Lens.TEMPLATE, Lens.OPENING)
_CLOSING = (Lens.EXACT, Lens.NEAR)  # one text, or copies of it; one form only warns


def redundancy_checks(judged: Judged, seen: Stage) -> Iterator[CheckResult]:
    """Every condition on redundancy.

    Args:
        judged: evidence and policy.
        seen: stage at which answers to prompts and lineage are counted.
    """
    profile, rule = judged.evidence.profile, judged.policy.heavy_species
    if rule is not None:
        for lens in LENSES:
            yield from _heavy(judged, rule, lens)
    for source in judged.evidence.config.sources:
        if source.kind is Kind.SYNTHETIC:
            yield from _lineage(source, profile, seen)
            yield from _fan_out(source, profile, seen)


def _heavy(judged: Judged, rule: HeavyRule, lens: Lens) -> Iterator[CheckResult]:
    """The species of many documents that hold more than the limit of the tokens: the largest share is judged.

    Of the near lens the neighbourhoods of probes are judged. Each species is weighed as the mixture weighs its
    sources. In a corpus of more than 500,000 documents a species of 50 may be too small for the heavy list, which
    starts at 1e-4 of the documents.
    """
    stage, profile = judged.stage, judged.evidence.profile
    if profile.scope(stage, lens, "all") is None:
        return
    held, there = judged.manifest.tokens_held(), _tokens_there(profile, stage)
    total = max(1, sum(held.values()))
    large = []
    for species in profile.heavy:
        if (species.stage, species.lens) == (stage, lens) and species.documents >= rule.documents:
            share = species.tokens * _weight(species, held, there) / total
            large += [(share, species)] if share > rule.at_most else []
    if lens is Lens.NEAR and not large:
        return  # probes can show a large neighbourhood, not that there is none
    severity: Severity = rule.severity if lens in _CLOSING else "warn"
    yield counted(
        "heavy_species",
        "all",
        max((share for share, _ in large), default=0.0),
        rule.at_most,
        _heavy_words(large, rule, lens, stage),
        outcome=Outcome.FAIL if large else Outcome.PASS,
        severity=severity,
        unit=" of the tokens",
        stage=stage.value,
        lens=lens.value,
    )


def _tokens_there(profile: Profile, stage: Stage) -> dict[str, int]:
    """Tokens of each source at a stage."""
    return {s.scope: s.tokens for s in profile.scopes if (s.stage, s.lens) == (stage, Lens.EXACT)}


def _weight(species: HeavySpecies, held: Mapping[str, int], there: Mapping[str, int]) -> float:
    """Times that the mixture holds a document of the species, on average."""
    rates = {name: held.get(name, 0) / max(1, there.get(name, 0)) for name in species.sources}
    return sum(rates[name] * count for name, count in species.sources.items()) / max(1, sum(species.sources.values()))


def _heavy_words(large: list[tuple[float, HeavySpecies]], rule: HeavyRule, lens: Lens, stage: Stage) -> str:
    where = f"through the {lens.value} lens at stage {stage.value}"
    if not large:
        return f"no species of {rule.documents} documents or more holds more than its share of the tokens {where}"
    share, most = max(large, key=lambda pair: pair[0])
    more = len(large) - 1
    others = f"; {more} {'other' if more == 1 else 'others'} of the largest over the bound" if more else ""
    like = f"{most.documents:,} documents like {most.example} are one species"
    return f"{like}, {100 * share:.3g} % of the tokens {where}{others}"


def _lineage(source: SourceConfig, profile: Profile, judged: Stage) -> Iterator[CheckResult]:
    """Check that the documents of a synthetic source name what they were made from."""
    everything = profile.scope(judged, Lens.EXACT, source.name)
    if everything is None:
        return
    named = profile.scope(judged, Lens.SEED, source.name)
    lacking = everything.documents - (named.documents if named else 0)
    message = f"{source.name}: {lacking:,} of {everything.documents:,} synthetic documents name no prompt or seed"
    cure = "; map fields.seed, as the seed lens does not see them" if lacking else ""
    yield condition("lineage", source.name, lacking == 0, message + cure, "warn")


def _fan_out(source: SourceConfig, profile: Profile, judged: Stage) -> Iterator[CheckResult]:
    """Documents per prompt against what the source declares: N / H0 of the seed lens, 1 over its distinct fraction."""
    declared, seeds = source.answers_per_prompt, profile.scope(judged, Lens.SEED, source.name)
    if declared is None:
        return
    severity: Severity = "warn"
    if seeds is None or seeds.distinct_fraction.low <= 0:
        message = f"{source.name}: answers per prompt are unmeasured: its documents name no prompt"
        yield condition("seed_fan_out", source.name, False, message, severity)
        return
    found = seeds.distinct_fraction
    value, low, high = 1 / found.value, 1 / found.high, 1 / found.low
    outcome = Outcome.FAIL if low > declared else Outcome.PASS if high <= declared else Outcome.UNKNOWN
    yield CheckResult(
        name="seed_fan_out",
        outcome=outcome,
        severity=severity,
        scope=source.name,
        stage=judged.value,
        lens=Lens.SEED.value,
        observed=value,
        low=low,
        high=high,
        bound=f"<= {declared:g}",
        margin=declared - high,
        message=f"{source.name}: {value:.3g} [{low:.3g}, {high:.3g}] documents of each prompt at stage {judged.value}",
    )
