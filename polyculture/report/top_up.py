"""Findings of a top-up, as rows of tables and as sentences: the same in the terminal and on the report's page."""

from polyculture.report.words import compact, percent
from schemas.measures import Lens
from schemas.profile import Estimate
from schemas.top_up import COMPARED_LENSES, MixtureMeasured, ReferenceCovered, TopUp

NAMES = {
    "before": "parent, nothing done",
    "consumed": "consumed so far",
    "after": "parent and top-up",
    "random": "parent and random top-up",
}


def mixture_rows(found: TopUp) -> list[list[str]]:
    """Header and a row for each number, the mixtures as columns; intervals of 95 % in brackets."""
    mixtures = found.mixtures
    rows = [["", *(NAMES[mixture.name] for mixture in mixtures)]]
    rows.append(["documents", *(f"{mixture.documents:,}" for mixture in mixtures)])
    rows.append(["tokens", *(f"{mixture.tokens:,}" for mixture in mixtures)])
    for lens, name in COMPARED_LENSES.items():
        if any(mixture.lens(lens) for mixture in mixtures):
            rows.append([f"distinct fraction, {name}", *(_distinct(mixture, lens) for mixture in mixtures)])
            rows.append([f"H1, {name}", *(_hill(mixture, lens) for mixture in mixtures)])
    rows.append(["Vendi score, cosine", *(_number(mixture.vendi_score) for mixture in mixtures)])
    rows.append(["RKE", *(_number(mixture.rke) for mixture in mixtures)])
    if any(mixture.reference for mixture in mixtures):
        rows.append(
            ["coverage of the reference", *(_covered(mixture.reference, is_rare=False) for mixture in mixtures)]
        )
        rows.append(["  of its rare cells", *(_covered(mixture.reference, is_rare=True) for mixture in mixtures)])
        rows.append(["  ceilings", *(_ceilings(mixture.reference) for mixture in mixtures)])
    return rows


def source_rows_of(found: TopUp) -> list[list[str]]:
    """Header and a row for each source of candidates, what was chosen most first."""
    header = ["source", "kind", "read", "in parent", "duplicates", "left out", "unmeasured", "available tokens"]
    rows = [[*header, "chosen documents", "chosen tokens", "random tokens"]]
    for source in sorted(found.sources, key=lambda source: (-source.chosen_tokens, source.name)):
        counts = (source.read, source.in_parent, source.removed, source.left_out, source.unmeasured)
        chosen = (source.available_tokens, source.chosen_documents, source.chosen_tokens, source.random_tokens)
        rows.append([source.name, source.kind.value, *(f"{count:,}" for count in (*counts, *chosen))])
    return rows


def sentences(found: TopUp) -> list[str]:
    """Sentences for the reader: a shortage first, then the forecast, then what was not followed or not measured."""
    said = []
    if found.lacking_tokens:
        said.append(
            f"The budget lacks {found.lacking_tokens:,} of {found.wanted_tokens:,} tokens: candidates and limits allow "
            "no more, and nothing was repeated to hide it."
        )
    if found.parent.earlier:
        names = ", ".join(one.name for one in found.parent.earlier)
        said.append(f"What was added to {found.parent.name} before is part of the parent here: {names}.")
    forecast, twin = found.forecast, found.forecast.near_twin_fraction
    if twin is not None and forecast.repeated_fraction is not None:
        said.append(
            f"If nothing is done, {percent(twin.value)} of the {forecast.documents:,} documents that remain "
            f"({compact(forecast.tokens)} tokens) have a near twin in what was consumed "
            f"[{percent(twin.low)}, {percent(twin.high)}]; {percent(forecast.repeated_fraction)} repeat its very text."
        )
    elif not forecast.documents:
        said.append("Nothing of the parent remains to be read.")
    unmeasured = [f"{s.name} {s.unmeasured:,}" for s in found.sources if s.unmeasured]
    if unmeasured:
        said.append(f"Without an embedding that tells, so never chosen: documents of {', '.join(unmeasured)}.")
    if not found.reference:
        said.append("There is no reference, so coverage is unknown and nothing was chosen by it.")
    elif not any(mixture.reference for mixture in found.mixtures):
        said.append("The reference, or a mixture, has too few documents to measure coverage.")
    return [*said, *found.notes]


def _interval(estimate: Estimate, digits: int) -> str:
    """Format an estimate; one without an interval was counted."""
    value = f"{estimate.value:.{digits}f}"
    return (
        value if estimate.low == estimate.high else f"{value} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"
    )


def _distinct(mixture: MixtureMeasured, lens: Lens) -> str:
    found = mixture.lens(lens)
    return _interval(found.distinct_fraction, 3) if found else "–"


def _hill(mixture: MixtureMeasured, lens: Lens) -> str:
    found = mixture.lens(lens)
    if found is None:
        return "–"
    value, low, high = (f"{number:,.0f}" for number in (found.hill_1.value, found.hill_1.low, found.hill_1.high))
    return value if low == high else f"{value} [{low}, {high}]"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _covered(reference: ReferenceCovered | None, is_rare: bool) -> str:
    if reference is None:
        return "–"
    return _interval((reference.rare_cell_recall if is_rare else reference.coverage).share, 3)


def _ceilings(reference: ReferenceCovered | None) -> str:
    if reference is None:
        return "–"
    return f"{reference.coverage.ceiling.value:.3f}, {reference.rare_cell_recall.ceiling.value:.3f}"
