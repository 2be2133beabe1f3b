"""Compare a trial with the full mixture, lens by lens, and say where their distinct fractions part."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polyculture.errors import ConfigError
from polyculture.gate.rejudge import require_evidence
from polyculture.measure.ledger.ledger import Ledger, read_ledger
from polyculture.measure.lenses.subset import Subset, count_documents, counted_scope, index_subset
from polyculture.measure.probes.estimators import Scope, scope_of
from polyculture.measure.probes.metrics import METRICS, scale_curve
from polyculture.storage.hashing import file_sha256, signature_seed
from polyculture.storage.run_directory import RunDirectory, read_manifest
from polyculture.trial.ids import COLUMN, open_shard, shards_of
from polyculture.trial.uniform import looks_uniform, share_departures
from schemas.documents import DOCUMENT_SCHEMA
from schemas.ledger import Weighting
from schemas.manifest import Manifest
from schemas.measures import Lens, Metric, Stage
from schemas.profile import Estimate
from schemas.trial import Seen, TrialComparison, TrialReport
from schemas.verdict import Outcome

MOST_GAP = 0.10  # the default of the gate's scale surprise
SHOWN_IDS = 5
_BOUND_BY_THE_GATE = (Lens.NEAR, "all")
_COLUMNS = (COLUMN, "text", "source", "kind", "tokens", "seed")


@dataclass(frozen=True, slots=True)
class Alarm:
    """The limit on a gap of distinct fractions.

    Attributes:
        most_gap: a gap above it raises the alarm.
        lenses: through one of these, in any scope; None: where the gate binds, near-duplicates of everything.
    """

    most_gap: float = MOST_GAP
    lenses: frozenset[Lens] | None = None

    def binds(self, lens: Lens, scope: str) -> bool:
        """True if a gap there is an alarm; else it is a note."""
        return (lens, scope) == _BOUND_BY_THE_GATE if self.lenses is None else lens in self.lenses


def compare_trial(run: Path, ids: Sequence[str], alarm: Alarm | None = None, threads: int = 1) -> TrialReport:
    """Count what a trial read of a run's shards, and compare it with the whole of them.

    The trial's documents are counted whole, against each other alone: that is all that it could see. The mixture's
    numbers are those of the run's ledger.

    Args:
        run: directory of a finished run.
        ids: document_ids, repeats included: an id listed twice was read twice.
        alarm: limits at which it is raised.
        threads: number of threads that share the join of neighbours.

    Raises:
        ConfigError: the evidence is not what the manifest lists, the run has no shards, or none of the ids is in them.
        OSError, ValueError: a file of the run is missing or damaged.
    """
    directory = RunDirectory(run)
    require_evidence(directory)
    manifest = read_manifest(directory)
    if not manifest.holds_mixture:
        raise ConfigError(f"{run} is an audit: it has no shards; name a folder that `polyculture run` wrote")
    ledger = read_ledger(directory.ledger)
    wanted = Counter(ids)
    subset = read_subset(directory, manifest, wanted, tuple(ledger.header.sources))
    alarm = alarm or Alarm()
    comparisons = _comparisons(subset, ledger, manifest, alarm, threads)
    departures = [*_share_departures(subset, ledger), *(_departure(c) for c in comparisons if not c.is_as_uniform)]
    judged = [c for c in comparisons if c.alarms]
    alarms = [_alarm_words(c) for c in judged if c.outcome is Outcome.FAIL]
    unsettled = [_unsettled_words(c, alarm.most_gap) for c in judged if c.outcome is Outcome.UNKNOWN]
    known = set(subset.table[COLUMN].to_pylist())
    unknown = [name for name in wanted if name not in known]
    return TrialReport(
        name=manifest.name,
        manifest_sha256=file_sha256(directory.manifest),
        listed=len(ids),
        unknown=sum(wanted[name] for name in unknown),
        unknown_examples=unknown[:SHOWN_IDS],
        trial_documents=int(subset.copies.sum()),
        mixture_documents=sum(_mixture_documents(ledger)),
        most_gap=alarm.most_gap,
        is_uniform=not departures,
        departures=departures,
        alarms=alarms,
        unsettled=unsettled,
        notes=[_alarm_words(c) for c in comparisons if not c.alarms and c.outcome is Outcome.FAIL],
        outcome=Outcome.FAIL if alarms else Outcome.UNKNOWN if unsettled else Outcome.PASS,
        comparisons=comparisons,
    )


def _mixture_documents(ledger: Ledger) -> list[int]:
    """Number of documents of each source in the shards."""
    population = ledger.population(Stage.MIXTURE, Lens.EXACT)
    return population.documents if population else [0] * len(ledger.header.sources)


def _share_departures(subset: Subset, ledger: Ledger) -> list[str]:
    drawn = subset.documents.totals(Weighting.DOCUMENTS)
    return list(share_departures(subset.sources, drawn, np.array(_mixture_documents(ledger), np.int64)))


def read_subset(directory: RunDirectory, manifest: Manifest, wanted: Counter[str], sources: tuple[str, ...]) -> Subset:
    """The rows of a run's shards whose ids are wanted, each document once. Reads only their pages, and all ids.

    Raises:
        ConfigError: there are none.
    """
    missing, tables = set(wanted), []
    for path in shards_of(manifest, directory.root, str(directory.root)):
        if not missing:
            break
        shard = open_shard(path).select(_COLUMNS)
        rows = np.flatnonzero(pc.is_in(shard[COLUMN], value_set=pa.array(sorted(missing), pa.string())).to_numpy())
        names = shard[COLUMN].take(pa.array(rows)).to_pylist()
        first = dict(zip(reversed(names), rows[::-1].tolist(), strict=True))  # the first row of each
        tables.append(shard.take(pa.array(sorted(first.values()), pa.int64())))
        missing -= set(first)
    empty = pa.schema([DOCUMENT_SCHEMA.field(name) for name in _COLUMNS]).empty_table()
    table = pa.concat_tables([empty, *tables])
    if not table.num_rows:
        raise ConfigError(
            f"none of the {len(wanted):,} ids is in the shards of {directory.root}; "
            f"expected ids as the column {COLUMN} of the shards has them, such as source:own-id"
        )
    copies = np.array([wanted[name] for name in table[COLUMN].to_pylist()], np.int64)
    return Subset(table, copies, sources)


def _comparisons(
    subset: Subset, ledger: Ledger, manifest: Manifest, alarm: Alarm, threads: int
) -> list[TrialComparison]:
    seed = signature_seed(manifest.config.seed)
    indexes = index_subset(subset, ledger.header.threshold, seed, threads)
    found = []
    for lens in Lens:
        matrix = ledger.matrix(Stage.MIXTURE, lens, Weighting.DOCUMENTS)
        counted = count_documents(subset.documents, indexes, lens, manifest.config.seed)
        if matrix is None or counted is None:
            continue
        present = np.flatnonzero(counted.documents).tolist()
        everything = np.flatnonzero(matrix.documents).tolist()
        scopes = [("all", everything), *((subset.sources[number], [number]) for number in present)]
        for name, members in scopes:
            trial = counted_scope(subset.documents, counted, members)
            if trial is not None and all(matrix.documents[number] for number in members):
                found.append(_compare(lens, name, trial, scope_of(matrix, members), alarm))
    return sorted(found, key=lambda comparison: not comparison.alarms)


def _seen(scope: Scope) -> Seen:
    metrics = (Metric.DISTINCT_FRACTION, Metric.DUPLICATE_FRACTION, Metric.HILL_1, Metric.HILL_2)
    return Seen(documents=scope.documents, **{metric.value: METRICS[metric](scope, 1.0) for metric in metrics})


def _compare(lens: Lens, name: str, trial: Scope, mixture: Scope, alarm: Alarm) -> TrialComparison:
    seen, holds = _seen(trial), _seen(mixture)
    fraction = trial.documents / mixture.documents
    uniform = scale_curve(mixture, [fraction])[0] if fraction <= 1 else None
    left, right = seen.distinct_fraction, holds.distinct_fraction
    gap = Estimate(value=left.value - right.value, low=left.low - right.high, high=left.high - right.low)
    return TrialComparison(
        lens=lens,
        scope=name,
        trial=seen,
        mixture=holds,
        fraction=fraction,
        uniform_distinct_fraction=uniform,
        is_as_uniform=uniform is not None and looks_uniform(left, uniform, mixture, fraction),
        gap=gap,
        outcome=_outcome(gap, alarm.most_gap),
        alarms=alarm.binds(lens, name),
    )


def _outcome(gap: Estimate, most: float) -> Outcome:
    if gap.low > most:
        return Outcome.FAIL
    return Outcome.PASS if gap.high <= most else Outcome.UNKNOWN


def _alarm_words(c: TrialComparison) -> str:
    saw, holds = c.trial.distinct_fraction.value, c.mixture.distinct_fraction.value
    return f"{c.scope}, {c.lens.value}: your trial saw {100 * saw:.0f} % distinct, the run will see {100 * holds:.0f} %"


def _unsettled_words(c: TrialComparison, most: float) -> str:
    return (
        f"{c.scope}, {c.lens.value}: the gap is {c.gap.value:.3f} [{c.gap.low:.3f}, {c.gap.high:.3f}], which straddles "
        f"{most:g}; more measure.probes in the run would settle it"
    )


def _departure(c: TrialComparison) -> str:
    saw, uniform = c.trial.distinct_fraction.value, c.uniform_distinct_fraction
    if uniform is None:
        return f"{c.scope}, {c.lens.value}: the trial read more documents than the mixture holds"
    return (
        f"{c.scope}, {c.lens.value}: the trial saw {saw:.3f} distinct, a uniform one of its size sees "
        f"{uniform.value:.3f} [{uniform.low:.3f}, {uniform.high:.3f}]"
    )
