"""Compare two finished runs, number by number and key by key."""

from collections.abc import Iterator, Mapping
from typing import Any

from polyculture.errors import PolycultureError
from polyculture.evidence.evidence import read_profile
from polyculture.gate.rejudge import damage_of
from polyculture.measure.vectors.vector_profile import numbers_of
from polyculture.storage.run_directory import RunDirectory, read_manifest, read_verdict
from schemas.difference import KeyDifference, NumberDifference, RunDifference
from schemas.measures import SPACE_METRICS, Metric, Space, Stage
from schemas.profile import Estimate, Profile

Numbers = Mapping[tuple[str, str, str, str], Estimate]


def compare_runs(before: RunDirectory, after: RunDirectory) -> RunDifference:
    """Put two runs side by side, each at the stage that it is judged by.

    Raises:
        PolycultureError: a ledger is not what its manifest lists.
        OSError: a file is missing.
        ValueError: a file is damaged.
    """
    manifests = read_manifest(before), read_manifest(after)
    for directory in (before, after):
        damage = damage_of(directory)
        if damage is not None:
            raise PolycultureError(f"{directory.root}: {damage}; run again")
    stages = [manifest.held_stage for manifest in manifests]
    first, second = (
        _numbers(read_profile(directory, manifest), stage)
        for directory, manifest, stage in zip((before, after), manifests, stages, strict=True)
    )
    return RunDifference(
        names=(manifests[0].name, manifests[1].name),
        verdicts=(_verdict(before), _verdict(after)),
        stages=(stages[0].value, stages[1].value),
        numbers=compare_numbers(first, second),
        config=compare_keys(*(manifest.config.model_dump(mode="json") for manifest in manifests)),
    )


def _verdict(directory: RunDirectory) -> str | None:
    return read_verdict(directory).verdict.value if directory.verdict.is_file() else None


def _numbers(profile: Profile, stage: Stage) -> Numbers:
    """Every number of a stage by lens, weighting, scope and metric."""
    found = {
        (s.lens.value, s.weighting.value, s.scope, metric.value): getattr(s, metric.value)
        for s in profile.scopes
        if s.stage is stage
        for metric in Metric
        if metric is not Metric.CONTAINMENT and metric not in SPACE_METRICS
    }
    for vector in profile.vectors:
        if vector.stage is stage:
            for metric, estimate in numbers_of(vector).items():
                found[Space.SEMANTIC.value, "documents", vector.scope, metric.value] = estimate
    for pair in profile.containments:
        if pair.stage is stage:
            key = (pair.lens.value, "documents", f"{pair.of} in {pair.within}", Metric.CONTAINMENT.value)
            found[key] = pair.containment
    return found


def compare_numbers(before: Numbers, after: Numbers) -> list[NumberDifference]:
    """The numbers of two profiles; those whose intervals lie apart first, then by relative change, then by name."""
    rows = [
        NumberDifference(
            lens=key[0],
            weighting=key[1],
            scope=key[2],
            metric=key[3],
            before=before.get(key),
            after=after.get(key),
            change=_change(before.get(key), after.get(key)),
            is_apart=_is_apart(before.get(key), after.get(key)),
        )
        for key in sorted({*before, *after})
    ]
    return sorted(rows, key=lambda row: (not row.is_apart, -abs(row.change) if row.change is not None else 1.0))


def _change(before: Estimate | None, after: Estimate | None) -> float | None:
    if before is None or after is None:
        return None
    scale = max(abs(before.value), abs(after.value))
    return (after.value - before.value) / scale if scale else 0.0


def _is_apart(before: Estimate | None, after: Estimate | None) -> bool:
    if before is None or after is None:
        return False
    slack = 1e-12 * max(abs(before.high), abs(after.high))  # counted numbers may differ in their last bits
    return before.high < after.low - slack or after.high < before.low - slack


def compare_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[KeyDifference]:
    """Keys of two configurations whose values differ; sources are found by their names, whatever their order."""
    first, second = dict(_flat(before, "")), dict(_flat(after, ""))
    return [
        KeyDifference(key=key, before=first.get(key), after=second.get(key))
        for key in sorted({*first, *second})
        if first.get(key) != second.get(key)
    ]


def _flat(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """The leaves of a configuration, by dotted key."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{place}.{key}".removeprefix("."))
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        for number, item in enumerate(value):
            yield from _flat(item, f"{place}.{item.get('name', number)}")
    else:
        yield place, value
