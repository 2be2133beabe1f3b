"""The table per source, for the terminal and the dashboard."""

from polyculture.mixture.plan.delivery import epoch_words
from schemas.accounts import SourceAccount
from schemas.documents import Kind
from schemas.ledger import EncoderUsed
from schemas.lexical import LexicalScope
from schemas.manifest import Manifest
from schemas.measures import Lens, Stage
from schemas.plan import MixturePlan, PhaseSource, SourcePlan
from schemas.profile import Estimate, Profile
from schemas.source_config import RESERVED_SCOPES
from schemas.vectors import VectorScores
from schemas.worth import OFTEN, OFTEN_SHOWN, Worth

COUNTS = ("read", "filtered", "removed", "written", "tokens")
AUDIT_COUNTS = ("read", "filtered", "measured", "tokens")  # an audit removes and writes nothing
FRACTIONS = ("1 % trial", "input", "distinct", "mixture")  # the last columns of the table


def source_rows(manifest: Manifest, profile: Profile) -> list[list[str]]:
    """A header, a row per source and one for the union: counts, and near-lens distinct fractions.

    `1 % trial` is what a trial of that size of the input would have seen; `input`, `distinct` and `mixture` are the
    full corpus at each stage, with half the width of the 95 % interval. `filtered` stands only where anything was. The
    tokens are those of the shards, or of what an audit measured.
    """
    names: tuple[str, ...] = COUNTS if manifest.holds_mixture else AUDIT_COUNTS
    counts_of = _counts if manifest.holds_mixture else _audit_counts
    counted = [(account.name, account.kind.value, counts_of(account)) for account in manifest.conservation]
    totals = {name: sum(counts[name] for _, _, counts in counted) for name in names}
    names = tuple(name for name in names if name != "filtered" or totals[name])
    rows = [["source", "kind", *names, *FRACTIONS]]
    for source, kind, counts in [*counted, ("all", "", totals)]:
        rows.append([source, kind, *(f"{counts[name]:,}" for name in names), *_fractions(profile, source)])
    return rows


def _counts(account: SourceAccount) -> dict[str, int]:
    """Slots and documents of a source, and the tokens of its shards, by column."""
    return {
        "read": account.read,
        "filtered": sum(account.filtered.values()),
        "removed": sum(account.removed.values()),
        "written": account.written,
        "tokens": account.written_tokens,
    }


def _audit_counts(account: SourceAccount) -> dict[str, int]:
    """Slots and documents of a source that was audited, and the tokens of what was measured, by column."""
    return {
        "read": account.read,
        "filtered": sum(account.filtered.values()),
        "measured": account.documents,
        "tokens": account.read_tokens,
    }


def written_words(manifest: Manifest) -> str:
    """`written 1,234`: the tokens that the shards hold, and how many of the plan's were taken down."""
    written = sum(account.written_tokens for account in manifest.conservation)
    down = manifest.takedown
    return f"written {written:,}" + (f" after {down.trained_tokens:,} were taken down" if down is not None else "")


def lexical_lines(profile: Profile) -> list[str]:
    """Notes on the lexical measures beside the gate's checks: the size of blocks, and sources that have none."""
    sources = [scope for scope in profile.lexical if scope.stage is Stage.INPUT and _is_source(scope)]
    if not sources:
        return []
    small = [scope.scope for scope in sources if scope.measures["distinct_1"] is None]
    lines = [f"Lexical measures in blocks of {sources[0].block_words:,} words stand in the report."]
    if small:
        lines.append(f"Too small for one block, so lexically unmeasured: {', '.join(small)}.")
    return lines


def _is_source(scope: LexicalScope) -> bool:
    return scope.scope not in RESERVED_SCOPES


def delivery_rows(plan: MixturePlan) -> list[list[str]]:
    """A header, a row per source and one for the whole mixture: what was asked, and what is delivered of it.

    `asked` is a share of the tokens, or epochs where the configuration states rates; `delivered` is the share of the
    mixture's tokens.
    """
    rows = [["source", "asked", "delivered", "epochs", "tokens"]]
    is_fixed = [phase.rates_from not in {"auto", "shares"} for phase in plan.phases]
    for source in plan.sources:
        delivered = f"{100 * source.tokens / max(1, plan.tokens):.1f} %"
        asked = _asked(source, is_fixed=is_fixed in ([], [True]), is_by_phase=len(is_fixed) > 1)
        rows.append([source.name, asked, delivered, f"{source.epochs:.3g}", f"{source.tokens:,}"])
    budget = f"{plan.budget_tokens:,}" if plan.budget_tokens is not None else "no budget"
    return [*rows, ["all", budget, "", "", f"{plan.tokens:,}"]]


def _asked(source: SourcePlan, *, is_fixed: bool, is_by_phase: bool) -> str:
    """The demand on a source as it was made: a share, epochs, or none of its own."""
    if source.asked_fraction is not None:
        return f"{100 * source.asked_fraction:.1f} %"
    if not is_fixed:
        return "by phase" if is_by_phase else "auto"
    return epoch_words(source.asked_rate)


def phase_rows(plan: MixturePlan) -> list[list[str]]:
    """A header and a row per phase of training; empty if there is but one.

    `new documents` are those that no phase before holds; `distinct` is the near-lens distinct fraction of the phase
    alone, `worth` its unique to effective tokens by the lens that sees most copies, as the ledger foresees them, with
    the share of tokens that is repeated 17 times or more from 1 % on. `shares` are those delivered, beside those
    asked for.
    """
    if len(plan.phases) < 2:
        return []
    counts = ["budget", "tokens", "lacking", "documents", "new documents"]
    rows = [["phase", "rates", *counts, "distinct", "worth", "shares"]]
    for phase in plan.phases:
        total = max(1, phase.tokens)
        shares = ", ".join(_shares(source, total) for source in phase.sources if source.rows or source.asked_fraction)
        rows.append(
            [
                phase.name,
                phase.rates_from if phase.rates_from in {"fixed", "shares", "auto"} else "file",
                f"{phase.budget_tokens or 0:,}",
                f"{phase.tokens:,}",
                f"{phase.lacking_tokens:,}",
                f"{phase.rows:,}",
                f"{sum(source.new_documents for source in phase.sources):,}",
                shown(phase.distinct_fraction) if phase.distinct_fraction else "-",
                _worth(phase.worth) if phase.worth else "-",
                shares,
            ]
        )
    return rows


def _shares(source: PhaseSource, tokens: int) -> str:
    """`web 0.643 (asked 0.7)`: the delivered share, and the asked one if there is one."""
    asked = f" (asked {source.asked_fraction:.3g})" if source.asked_fraction is not None else ""
    return f"{source.name} {source.tokens / tokens:.3f}{asked}"


def _worth(worth: Worth) -> str:
    least = worth.least
    often = max(worth.lenses, key=lambda lens: lens.often.value)
    words = f"{least.unique_tokens.value:,.0f} to {least.effective_tokens.value:,.0f} (least by {least.lens})"
    if often.often.value < OFTEN_SHOWN:
        return words
    return f"{words}; {100 * often.often.value:.2g} % {OFTEN} times or more by {often.lens}"


def _fractions(profile: Profile, scope: str) -> list[str]:
    at_input = profile.scope(Stage.INPUT, Lens.NEAR, scope)
    cells = [f"{at_input.trial(0.01).value:.3f}" if at_input else "-"]
    for stage in Stage:
        numbers = profile.scope(stage, Lens.NEAR, scope)
        cells.append(shown(numbers.distinct_fraction) if numbers else "-")
    return cells


def shown(estimate: Estimate) -> str:
    """`0.873 ±0.012`; without the second part if it was counted."""
    half = (estimate.high - estimate.low) / 2
    return f"{estimate.value:.3f}" + (f" ±{half:.3f}" if half > 0 else "")


def vector_lines(profile: Profile, stage: Stage) -> list[str]:
    """Lines on the embeddings at a stage: the union and the narrowest sources; none if not measured."""
    found = [v for v in profile.vectors if v.stage is stage]
    union = next((v for v in found if v.scope == "all"), None)
    if union is None or profile.encoder is None:
        return []
    scopes = {*(kind.value for kind in Kind), "all"}
    measured = [(v.scope, v.scores) for v in found if v.scores is not None and v.scope not in scopes]
    narrow = sorted(measured, key=lambda pair: pair[1].rke.value)[:3]
    words = [f"all {_rke(union.scores)}"] if union.scores else []
    words += [f"narrowest {', '.join(f'{name} {_rke(scores)}' for name, scores in narrow)}"] if narrow else []
    made = f"{profile.encoder.name} {profile.encoder.revision[:8]}"
    lines = [f"RKE by embeddings ({made}): {'; '.join(words)}."] if words else []
    unmeasured = [v.scope for v in found if v.scores is None and v.scope not in scopes]
    lines += [f"Unmeasured by embeddings, not varied: {', '.join(unmeasured)}."] if unmeasured else []
    return [*lines, *unread_lines(profile.encoder)]


def unread_lines(encoder: EncoderUsed) -> list[str]:
    """Text that was not read by meaning, by reason, and records that name another language than their text is in."""
    lines = []
    if unread := sum(encoder.unread_tokens):
        documents = {why: sum(counts) for why, counts in encoder.reasons.items()}
        tokens = sorted(((sum(counts), why) for why, counts in encoder.unread_reasons.items()), reverse=True)
        parts = [f"{why.value} {number:,}" + _documents(documents.get(why)) for number, why in tokens if number]
        lines.append(f"Not read by meaning: {unread:,} tokens: {'; '.join(parts)}.")
    if wrong := sum(encoder.languages_disagree):
        lines.append(f"{wrong:,} records name another language than their text is in; the text decided.")
    return lines


def _documents(number: int | None) -> str:
    return f" ({number:,} documents)" if number else ""


def _rke(scores: VectorScores) -> str:
    return f"{scores.rke.value:.3g} (trial {scores.rke_of_trial:.3g})"
