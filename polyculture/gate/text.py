"""The text of a verdict, for the person who signs it: shares and limits, causes with their facts, and the cure."""

from collections.abc import Iterator, Sequence

import numpy as np

from polyculture.gate.cure import Cure, cheapest_cure
from polyculture.gate.cured_shares import CuredShares, cured_shares
from polyculture.gate.drawn import Drawn
from polyculture.gate.narrow import NarrowSource, causes_of, copied_documents, narrow_share, narrow_sources
from polyculture.gate.policy import Judged, size_words
from polyculture.storage.messages import first_few
from schemas.manifest import Manifest
from schemas.measures import Lens
from schemas.policy import NarrowRule
from schemas.repetition import FRAMED_BY
from schemas.verdict import CheckResult, Outcome, VerdictLine

MOST_LINES = 5
_MOST_NAMED = 3
_LABELS = {
    "copies": "near copies",
    "meaning": "same meaning",
    "passages": "same passages",
    "frames": "same frame",
}
_ALIKE, _IN_WORDS = 0.6, 0.75  # worth a look: by meaning alone less than the one, in words more than the other
_LOOK_FROM = 0.01  # of the tokens
_SAID_ELSEWHERE = ("narrow", "unread", "policy")


def verdict_text(judged: Judged | None, checks: Sequence[CheckResult]) -> tuple[str, list[VerdictLine]]:
    """The headline, and at most five lines.

    Args:
        judged: evidence and policy; None if there is none to believe.
        checks: checks of the gate, waivers applied.

    Returns:
        The headline is the first failed check where there is no evidence document by document.
    """
    closing = [c for c in checks if c.severity == "fail" and c.outcome is not Outcome.PASS]
    drawn = judged.drawn if judged is not None else None
    if judged is None or drawn is None:
        return (closing[0].message if closing else "every check passed"), list(_others(closing[1:]))
    rule = judged.policy.narrow
    lines = list(_cause_lines(judged, drawn, rule)) if rule is not None else []
    lines += _others([check for check in closing if check.name not in _SAID_ELSEWHERE])
    cure = cheapest_cure(drawn, rule) if rule is not None else None
    after = [_cure_line(cure, judged.manifest)] if cure is not None else []
    after += _policy_lines(judged)
    after += _look_lines(drawn)
    if not closing and not lines:
        after = [*_worst_line(checks), *after]
    kept = max(1, MOST_LINES - len(after)) if lines else 0
    return _headline(judged, drawn), [*lines[:kept], *after][:MOST_LINES]


def _headline(judged: Judged, drawn: Drawn) -> str:
    policy, parts = judged.policy, []
    if policy.narrow is not None:
        share = float(narrow_share(drawn, policy.narrow).value)
        limit = f"limit {_share(policy.narrow.at_most)}{size_words(drawn, policy.narrow)}"
        parts.append(f"{_share(share)} of the tokens are narrow ({limit})")
        cost = judged.evidence.config.gate.run_cost
        if cost is not None:
            parts.append(f"{_money(share * cost)} of {_money(cost)} would be spent on them")
    if judged.is_by_words:
        parts.append("judged by words only")
    elif policy.unread is not None:
        unread = float(drawn.share(~drawn.is_read).value)
        parts.append(f"{_share(unread)} could not be read by meaning (limit {_share(policy.unread.at_most)})")
    if not judged.evidence.config.reference:
        parts.append("no reference")
    return "; ".join(parts)


def _cause_lines(judged: Judged, drawn: Drawn, rule: NarrowRule) -> Iterator[VerdictLine]:
    """A line for each cause, the one with most tokens first, with the sources in which it is the main one."""
    least = rule.warn_above / 10
    by_cause: dict[str, list[NarrowSource]] = {}
    for source in narrow_sources(drawn, rule):
        if source.contribution >= least:
            cause = max(source.causes, key=lambda name: source.causes[name])
            by_cause.setdefault(cause, []).append(source)
    for cause in sorted(by_cause, key=lambda name: -sum(s.contribution for s in by_cause[name])):
        yield VerdictLine(label=_LABELS[cause], text=_cause_words(judged, drawn, rule, cause, by_cause[cause]))
    yield from _copied_line(drawn, rule)


def _copied_line(drawn: Drawn, rule: NarrowRule) -> Iterator[VerdictLine]:
    """Sources that say first what others repeat, where they hold much of what is narrow."""
    copied = copied_documents(drawn, rule)
    shares = np.array([weight * copied[drawn.source == i].mean() for i, weight in enumerate(drawn.weights)])
    most = [int(number) for number in np.argsort(-shares, kind="stable") if shares[number] >= rule.warn_above]
    if most:
        named = ", ".join(f"{drawn.names[number]} {_share(float(shares[number]))}" for number in most[:_MOST_NAMED])
        yield VerdictLine(label="copied", text=f"{named}: said here first, and repeated by the sources above")


def _cause_words(judged: Judged, drawn: Drawn, rule: NarrowRule, cause: str, sources: Sequence[NarrowSource]) -> str:
    named = first_few([f"{source.name} {_share(source.contribution)}" for source in sources])
    documents, things = _facts(judged, drawn, rule, cause, sources)
    holders = "eight" if drawn.holders == FRAMED_BY[0] else f"{drawn.holders:,}"
    if cause == "passages":
        return f"{named}: {documents:,} documents are mostly made of passages that {holders} or more share"
    if cause == "frames":
        return f"{named}: {documents:,} documents put other words into frames that {holders} or more share"
    said = "one thing" if things == 1 else f"about {things:,} things"
    return f"{named}: {documents:,} documents say {said}"


def _facts(
    judged: Judged, drawn: Drawn, rule: NarrowRule, cause: str, sources: Sequence[NarrowSource]
) -> tuple[int, int]:
    """Narrow documents of some sources, and how many different things they say: estimates, of two digits.

    Documents were drawn in proportion to tokens, so each counts with the inverse of its tokens.
    """
    hits = causes_of(drawn, rule)[cause]
    multiplicity = drawn.columns["near" if cause == "copies" else "twins"]
    documents = things = 0.0
    for source in sources:
        numbers = judged.evidence.profile.scope(judged.stage, Lens.EXACT, source.name)
        mine = drawn.source == drawn.names.index(source.name)
        inverse = 1.0 / np.maximum(drawn.columns["tokens"][mine], 1.0)
        size = (numbers.documents if numbers is not None else 0) / inverse.sum()
        documents += size * float(inverse[hits[mine]].sum())
        said = np.nan_to_num(inverse / np.maximum(multiplicity[mine], 1.0))
        things += size * float(said[hits[mine]].sum())
    return _two_digits(documents), max(1, _two_digits(things))


def _others(closing: Sequence[CheckResult]) -> list[VerdictLine]:
    """Other checks that keep the gate closed, the first of each name."""
    names = list(dict.fromkeys(check.name for check in closing))
    found = []
    for name in names:
        same = [check for check in closing if check.name == name]
        more = f" (and {len(same) - 1} more)" if len(same) > 1 else ""
        found.append(VerdictLine(label=name.replace("_", " "), text=same[0].message + more))
    return found


def _cure_line(cure: Cure, manifest: Manifest) -> VerdictLine:
    return VerdictLine(label="opens with", text=cure_words(cure, cured_shares(manifest, cure.factors)))


def cure_words(cure: Cure, shares: CuredShares | None = None) -> str:
    """`rates times {a: 0.1}: 3.9 % narrow; costs 5.2 % of the tokens, keeps 54 % of what it says`.

    Args:
        cure: the change.
        shares: the mixture after it, where shares were asked for: it is then said in place of the factors, as it stands
            in a configuration.
    """
    factors = ", ".join(f"{name}: {factor:g}" for name, factor in cure.factors.items())
    change = shares.flow if shares is not None else f"rates times {{{factors}}}"
    each = [f"{100 * share:.0f} %" for share in cure.kept.values()]
    kept = " and ".join(each)
    if len(each) > 2:
        kept = f"{100 * min(cure.kept.values()):.0f} to {100 * max(cure.kept.values()):.0f} %"
    theirs = "it says" if len(each) == 1 else "each says" if len(each) > 2 else "they say"
    left = _share(float(cure.share.value))
    price = f"costs {_share(cure.cost)} of the tokens, keeps {kept} of what {theirs}"
    return f"{change}: {left} narrow; {price}"


def _policy_lines(judged: Judged) -> list[VerdictLine]:
    """Rules that are laxer than those that ship, and whether the run's own configuration was set aside."""
    laxer = [f"{name} {words}" for name, words, is_laxer in judged.policy.changes() if is_laxer]
    found = [VerdictLine(label="laxer policy", text="; ".join(laxer))] if laxer else []
    if judged.evidence.config.gate != judged.manifest.config.gate:
        found.append(VerdictLine(label="other policy", text="judged by another policy than the run's own"))
    return found


def _look_lines(drawn: Drawn) -> list[VerdictLine]:
    """Sources whose lenses disagree: alike by meaning, and not in words."""
    found = []
    for number, name in enumerate(drawn.names):
        alike = drawn.mean_inverse_of(number, drawn.columns["alike"])
        said = drawn.mean_inverse_of(number, drawn.columns["twins"])
        if alike is None or said is None or drawn.weights[number] < _LOOK_FROM:
            continue
        if float(alike.value) < _ALIKE and float(said.value) > _IN_WORDS:
            found.append((float(drawn.weights[number]), name, float(alike.value)))
    named = ", ".join(
        f"{name} {_share(weight)} ({alike:.2f})" for weight, name, alike in sorted(found)[::-1][:_MOST_NAMED]
    )
    return [VerdictLine(label="look", text=f"{named}: alike by meaning, not in words")] if found else []


def _worst_line(checks: Sequence[CheckResult]) -> list[VerdictLine]:
    """The worst that a GO accepts: its first warning, or the check that is nearest to its bound."""
    warned = [c for c in checks if c.severity == "warn" and c.outcome is Outcome.FAIL and c.name != "policy"]
    measured = [c for c in checks if c.severity == "fail" and c.margin is not None]
    nearest = sorted(measured, key=lambda check: check.margin if check.margin is not None else 0.0)
    worst = [*warned, *nearest][:1]
    return [VerdictLine(label="accepts", text=check.message) for check in worst]


def _two_digits(value: float) -> int:
    """Rounded to two digits: an estimate that is printed as a count."""
    return round(float(f"{value:.2g}"))


def _share(value: float) -> str:
    """`10.6 %`: three digits."""
    return f"{100 * value:.3g} %"


def _money(value: float) -> str:
    for size, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if value >= size:
            return f"{value / size:.3g} {word}"
    return f"{value:.0f}"
