"""The part of a run's numbers that `report.json` holds where there are many sources or files."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from polyculture.report.tables import CONTAINMENTS, SCOPES, TRIALS
from schemas.accounts import FileAccount, SourceAccount
from schemas.documents import Kind
from schemas.ledger import Weighting
from schemas.measures import TRIAL_FRACTIONS, Lens, Stage
from schemas.profile import Containment, Profile, ScopeProfile, Trial

MOST_CONTAINMENTS, MOST_SCOPES, MOST_TRIALS, MOST_FILES = 5_000, 1_500, 20_000, 1_000
UNION = "all"
Group = tuple[Stage, Lens, Weighting]


@dataclass(frozen=True, slots=True)
class Abridged:
    """What is held, and what is left out.

    Attributes:
        profile: the profile, shorter.
        conservation: the accounts of the sources, with fewer files.
        left_out: for each list that is shortened: entries that are left out, which are held, and the file of the run
            directory that holds all of them.
    """

    profile: Profile
    conservation: list[SourceAccount]
    left_out: dict[str, dict[str, object]] = field(default_factory=dict)


def abridge(profile: Profile, conservation: Sequence[SourceAccount], judged: Stage) -> Abridged:
    """Shorten the lists that are longer than a reader of JSON wants; a run of few sources and files loses nothing.

    Args:
        profile: numbers of the run.
        conservation: accounts of its sources.
        judged: the stage that the gate judges, which is held first.
    """
    containments, scopes, held = profile.containments, profile.scopes, list(conservation)
    left_out: dict[str, dict[str, object]] = {}
    if len(containments) > MOST_CONTAINMENTS:
        containments = _strongest(containments)
        left_out["containments"] = _said(
            len(profile.containments) - len(containments),
            "the strongest above 0 of each stage and lens",
            f"report/{CONTAINMENTS}",
        )
    if len(scopes) > MOST_SCOPES:
        groups = _first_groups(scopes, judged)
        scopes = [s for s in scopes if _is_summary(s) or (s.stage, s.lens, s.weighting) in groups]
        held_words = ", ".join(f"{stage} {lens} by {weighting}" for stage, lens, weighting in groups)
        left_out["scopes"] = _said(
            len(profile.scopes) - len(scopes),
            f"the union, the kinds, and the sources at {held_words}",
            f"report/{SCOPES}",
        )
    trials = sum(len(scope.trials) for scope in scopes)
    if trials > MOST_TRIALS:
        scopes = [_with_few_trials(scope, profile.trial_fraction) for scope in scopes]
        left_out["trials"] = _said(
            sum(len(scope.trials) for scope in profile.scopes) - sum(len(scope.trials) for scope in scopes),
            "all of the union, and of the others the sizes that the report shows and the full corpus",
            f"report/{TRIALS}",
        )
    files = sum(len(account.files) for account in held)
    if files > MOST_FILES:
        most = MOST_FILES // len(held)
        held = [account.model_copy(update={"files": _troubled(account.files, most)}) for account in held]
        left_out["files"] = _said(
            files - sum(len(account.files) for account in held),
            f"of each source the first {most} with trouble",
            "manifest.json",
        )
    shorter = profile.model_copy(update={"containments": containments, "scopes": scopes})
    return Abridged(shorter, held, left_out)


def _said(entries: int, held: str, file: str) -> dict[str, object]:
    return {"entries": entries, "held": held, "file": file}


def _strongest(pairs: Sequence[Containment]) -> list[Containment]:
    """As many of each stage and lens as fit, strongest first; those that are 0 are left out."""
    most = MOST_CONTAINMENTS // len({(pair.stage, pair.lens) for pair in pairs})
    seen: Counter[tuple[Stage, Lens]] = Counter()
    held: set[tuple[Stage, Lens, str, str]] = set()
    for pair in sorted(pairs, key=lambda pair: (-pair.containment.value, pair.of, pair.within)):
        group = pair.stage, pair.lens
        if pair.containment.value > 0 and seen[group] < most:
            seen[group] += 1
            held.add((*group, pair.of, pair.within))
    return [pair for pair in pairs if (pair.stage, pair.lens, pair.of, pair.within) in held]


def _first_groups(scopes: Sequence[ScopeProfile], judged: Stage) -> list[Group]:
    """Stages, lenses and weightings whose sources there is room for, beside the union and the kinds.

    The near lens comes before the others, the judged stage before the others, documents before tokens.
    """
    groups = Counter((s.stage, s.lens, s.weighting) for s in scopes if not _is_summary(s))
    order = sorted(
        groups,
        key=lambda group: (
            group[1] is not Lens.NEAR,
            group[0] is not judged,
            group[2] is not Weighting.DOCUMENTS,
            list(Lens).index(group[1]),
            list(Stage).index(group[0]),
        ),
    )
    room = MOST_SCOPES - sum(_is_summary(scope) for scope in scopes)
    used = itertools.accumulate(groups[group] for group in order)
    return [group for group, size in zip(order, used, strict=True) if size <= room]


def _is_summary(scope: ScopeProfile) -> bool:
    return scope.scope == UNION or scope.scope in {kind.value for kind in Kind}


def _with_few_trials(scope: ScopeProfile, trial_fraction: float) -> ScopeProfile:
    if scope.scope == UNION:
        return scope
    shown = [*TRIAL_FRACTIONS, trial_fraction, 1.0]
    return scope.model_copy(update={"trials": [trial for trial in scope.trials if _is_one_of(trial, shown)]})


def _is_one_of(trial: Trial, fractions: Sequence[float]) -> bool:
    return any(abs(trial.fraction - fraction) < 1e-12 for fraction in fractions)


def _troubled(files: Sequence[FileAccount], most: int) -> list[FileAccount]:
    """The first `most` files of a source that lost or warn of something, or changed."""
    return [f for f in files if f.quarantined or f.is_tail_lost or f.is_changed or f.warnings][:most]
