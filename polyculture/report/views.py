"""Rows of the report's tables, from the run's own models."""

from dataclasses import dataclass

from schemas.accounts import FileAccount
from schemas.documents import Kind
from schemas.ledger import Weighting
from schemas.manifest import Manifest
from schemas.measures import TRIAL_FRACTIONS, Lens, Stage
from schemas.profile import Estimate, HeavySpecies, Profile, ScopeProfile
from schemas.verdict import CheckResult, Outcome, Verdict

MOST_FILES, MOST_WARNINGS, MOST_SPECIES = 50, 5, 5


@dataclass(frozen=True, slots=True)
class ScopeRow:
    """One scope: its numbers at the judged stage through the near lens, and its distinct fractions everywhere.

    `judged` and `by_tokens` are None where the scope holds no documents at that stage; `trials` and `everywhere` follow
    `Columns`.
    """

    name: str
    kind: Kind | None
    group: str
    judged: ScopeProfile | None
    by_tokens: ScopeProfile | None
    trials: list[Estimate | None]
    everywhere: list[Estimate | None]


@dataclass(frozen=True, slots=True)
class _RowScope:
    """The union, a kind or a source, as a row begins."""

    name: str
    kind: Kind | None
    group: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of a scope's row: trial sizes, and pairs of lens and stage."""

    trials: list[float]
    everywhere: list[tuple[Lens, Stage]]


@dataclass(frozen=True, slots=True)
class FileRow:
    """An input file with trouble."""

    source: str
    file: FileAccount
    lost: int
    warnings: list[str]
    more_warnings: int


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks by what they mean for the verdict."""

    deciding: list[CheckResult]
    warnings: list[CheckResult]
    passed: list[CheckResult]


def sort_checks(verdict: Verdict) -> Checks:
    """Sort checks: those that close the gate or leave it unsettled, warnings, and those passed."""
    deciding = sorted(verdict.failed(), key=_gravity)
    warned = sorted((c for c in verdict.checks if c.severity == "warn" and c.outcome is not Outcome.PASS), key=_gravity)
    return Checks(deciding, warned, [c for c in verdict.checks if c.outcome is Outcome.PASS])


def _gravity(check: CheckResult) -> tuple[bool, float]:
    """Failures before what is unsettled; the gate's own conditions first, then the farthest from its bound."""
    return check.outcome is not Outcome.FAIL, -1e9 if check.margin is None else check.margin


def columns_of(profile: Profile, judged: Stage) -> Columns:
    """The trials beside the full scale, the gate's own among them, and the lenses and stages that were measured.

    Near and exact, which remove, at every stage; the lenses that only measure at the judged one.
    """
    measured = {(scope.lens, scope.stage) for scope in profile.scopes}
    pairs = [(lens, stage) for lens in (Lens.NEAR, Lens.EXACT) for stage in Stage]
    pairs += [(lens, judged) for lens in Lens if lens not in (Lens.NEAR, Lens.EXACT)]
    pairs = [pair for pair in pairs if pair in measured]
    return Columns(sorted({*TRIAL_FRACTIONS, profile.trial_fraction}), pairs)


def scope_rows(manifest: Manifest, profile: Profile, judged: Stage) -> list[ScopeRow]:
    """The union, then the kinds, then every configured source; within each, the least distinct first."""
    sources = {account.name: account.kind for account in manifest.conservation}
    columns = columns_of(profile, judged)
    kinds = [kind for kind in Kind if kind in sources.values()]
    rows = [_row(profile, columns, judged, _RowScope("all", None, "union"))]
    rows += _worst_first([_row(profile, columns, judged, _RowScope(kind.value, kind, "kind")) for kind in kinds])
    rows += _worst_first([_row(profile, columns, judged, _RowScope(*source, "source")) for source in sources.items()])
    return rows


def _row(profile: Profile, columns: Columns, judged: Stage, scope: _RowScope) -> ScopeRow:
    name = scope.name
    found = profile.scope(judged, Lens.NEAR, name)
    trials = {round(t.fraction, 12): t.distinct_fraction for t in found.trials} if found else {}
    everywhere = [profile.scope(stage, lens, name) for lens, stage in columns.everywhere]
    return ScopeRow(
        name=name,
        kind=scope.kind,
        group=scope.group,
        judged=found,
        by_tokens=profile.scope(judged, Lens.NEAR, name, Weighting.TOKENS),
        trials=[trials.get(round(fraction, 12)) for fraction in columns.trials],
        everywhere=[found.distinct_fraction if found else None for found in everywhere],
    )


def _worst_first(rows: list[ScopeRow]) -> list[ScopeRow]:
    return sorted(rows, key=lambda row: (row.judged.distinct_fraction.value if row.judged else 2.0, row.name))


def heaviest_species(profile: Profile, judged: Stage) -> list[HeavySpecies]:
    """The five largest species of each lens at the judged stage."""
    found = []
    for lens in Lens:
        found += [species for species in profile.heavy if (species.lens, species.stage) == (lens, judged)][
            :MOST_SPECIES
        ]
    return found


def troubled_files(manifest: Manifest) -> tuple[list[FileRow], int]:
    """The worst 50 files with quarantined slots, a lost tail, a change or a warning, and how many more there are."""
    rows = []
    for account in manifest.conservation:
        for file in account.files:
            lost = sum(file.quarantined.values())
            if lost or file.warnings or file.is_tail_lost or file.is_changed:
                more = max(0, len(file.warnings) - MOST_WARNINGS)
                rows.append(FileRow(account.name, file, lost, file.warnings[:MOST_WARNINGS], more))
    rows.sort(key=lambda row: (-(row.file.is_tail_lost + row.file.is_changed), -row.lost, row.source, row.file.name))
    return rows[:MOST_FILES], max(0, len(rows) - MOST_FILES)


def quarantine_totals(manifest: Manifest) -> list[tuple[str, int]]:
    """Slots quarantined in the whole run, by reason, most first."""
    totals: dict[str, int] = {}
    for account in manifest.conservation:
        for reason, number in account.quarantined.items():
            totals[reason] = totals.get(reason, 0) + number
    return sorted(totals.items(), key=lambda item: (-item[1], item[0]))
