"""Conditions on redundancy that no expectation needs to name: heavy species, answers per prompt, lineage."""

from collections.abc import Iterator

from polyculture.gate.conditions import condition, counted
from schemas.config import CurationConfig
from schemas.dedupe_config import Action
from schemas.documents import Kind
from schemas.measures import Lens, Stage
from schemas.profile import HeavySpecies, Profile
from schemas.source_config import SourceConfig
from schemas.strict import Severity
from schemas.verdict import CheckResult, Outcome

LARGE_DOCUMENTS = 50
LARGE_TOKENS_FRACTION = 1e-4
LENSES = (Lens.EXACT, Lens.NEAR, Lens.TEMPLATE, Lens.OPENING)


def redundancy_checks(config: CurationConfig, profile: Profile, judged: Stage) -> Iterator[CheckResult]:
    """Every condition on redundancy at the judged stage."""
    for lens in LENSES:
        yield from _heavy(config, profile, judged, lens)
    for source in config.sources:
        if source.kind is Kind.SYNTHETIC:
            yield from _lineage(source, profile, judged)
            yield from _fan_out(source, profile, judged)


def _heavy(config: CurationConfig, profile: Profile, judged: Stage, lens: Lens) -> Iterator[CheckResult]:
    """The species of at least 50 documents that hold more than 1e-4 of the tokens: the largest share of them is judged.

    Only equal texts that stay close the gate. Where the exact or the near lens removes, a heavy species of the input
    leaves, and one in the mixture is what the rates repeat. Of the near lens the neighbourhoods of probes are judged.
    In a corpus of more than 500,000 documents a species of 50 may be too small for the heavy list, which starts at
    1e-4 of the documents.
    """
    everything = profile.scope(judged, lens, "all")
    if everything is None:
        return
    total = max(1, everything.tokens)
    here = [s for s in profile.heavy if (s.stage, s.lens) == (judged, lens) and s.documents >= LARGE_DOCUMENTS]
    large = [species for species in here if species.tokens > LARGE_TOKENS_FRACTION * total]
    if lens is Lens.NEAR and not large:
        return  # probes can show a large neighbourhood, not that there is none
    is_removed = Action.REMOVE in (
        config.dedupe.exact.action,
        config.dedupe.near.action,
    )  # near removes equal texts too
    stays = lens is Lens.EXACT and not is_removed
    share = max((species.tokens / total for species in large), default=0.0)
    yield counted(
        "heavy_species",
        "all",
        share,
        LARGE_TOKENS_FRACTION,
        _heavy_words(large, lens, judged, share),
        outcome=Outcome.FAIL if large else Outcome.PASS,
        severity="fail" if stays else "warn",
        unit=" of the tokens",
        stage=judged.value,
        lens=lens.value,
    )


def _heavy_words(large: list[HeavySpecies], lens: Lens, judged: Stage, share: float) -> str:
    where = f"through the {lens.value} lens at stage {judged.value}"
    if not large:
        return f"no species of {LARGE_DOCUMENTS} documents or more holds more than its share of the tokens {where}"
    most = max(large, key=lambda species: species.tokens)
    more = len(large) - 1
    others = f"; {more} {'other' if more == 1 else 'others'} of the largest over the bound" if more else ""
    like = f"{most.documents:,} documents like {most.example} are one species"
    return f"{like}, {share:.2%} of the tokens {where}{others}"


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
