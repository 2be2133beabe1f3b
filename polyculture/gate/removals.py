"""Check that deduplication took no more than it may: removing too much is a failure too."""

from collections.abc import Iterator

from polyculture.gate.conditions import condition, counted
from schemas.accounts import SourceAccount
from schemas.dedupe_config import Action, DedupeConfig, RemovalLimits
from schemas.manifest import Manifest
from schemas.removals import RemovalSummary
from schemas.verdict import CheckResult, Outcome


def removal_checks(config: DedupeConfig, manifest: Manifest) -> Iterator[CheckResult]:
    """The limits of the configuration against what a run removed. An audit removes nothing."""
    if not manifest.holds_mixture:
        return
    if manifest.removals is None:
        yield condition("evidence", "all", False, "nothing says what deduplication removed")
        return
    for account in manifest.conservation:
        yield from _share(config.limits, account)
    yield from _clusters(config.limits, manifest.removals)
    if config.near.action is Action.REMOVE:
        yield _precision(config.limits, manifest.removals)
        yield from _source_precision(config.limits, manifest.removals)


def _share(limits: RemovalLimits, account: SourceAccount) -> Iterator[CheckResult]:
    limit = limits.sources.get(account.name, limits.max_removed_fraction)
    if limit is None:
        return
    documents = sum(file.documents for file in account.files)
    removed = sum(account.removed.values())
    share = removed / documents if documents else 0.0
    message = f"{account.name}: deduplication removed {removed:,} of {documents:,} documents ({share:.1%})"
    yield counted("removed_fraction", account.name, share, limit, message)


def _clusters(limits: RemovalLimits, removals: RemovalSummary) -> Iterator[CheckResult]:
    if limits.max_cluster_documents is not None:
        largest = max(removals.cluster_sizes, default=0)
        first = next(iter(removals.largest_clusters), None)
        like = f", like {first.kept_id}" if first is not None else ""
        message = f"the largest cluster has {largest:,} documents{like}"
        yield counted("cluster_size", "all", largest, limits.max_cluster_documents, message)
    over = sum(count for size, count in removals.component_sizes.items() if size > limits.max_component_documents)
    largest = max(removals.component_sizes, default=0)
    message = (
        f"{over:,} connected components of near-duplicates have more than {limits.max_component_documents:,} documents "
        f"(the largest {largest:,}): chains join what is unlike; look at the largest clusters"
    )
    yield condition(
        "component_size",
        "all",
        not over,
        message if over else f"the largest component has {largest:,} documents",
        "warn",
    )


def _precision(limits: RemovalLimits, removals: RemovalSummary) -> CheckResult:
    """Failed only if the whole interval is below; with nothing to sample there is nothing to doubt."""
    sample = f"{removals.confirmed:,} of {removals.sampled:,} sampled near-duplicate removals"
    share = removals.confirmed / removals.sampled if removals.sampled else 1.0
    is_low = removals.sampled > 0 and removals.precision_high < limits.min_precision
    return CheckResult(
        name="removal_precision",
        outcome=Outcome.FAIL if is_low else Outcome.PASS,
        severity="fail",
        scope="all",
        observed=share,
        low=removals.precision_low if removals.sampled else 1.0,
        high=removals.precision_high,
        bound=f">= {limits.min_precision:g}",
        margin=removals.precision_high - limits.min_precision,
        message=f"{sample} confirmed on their texts",
    )


def _source_precision(limits: RemovalLimits, removals: RemovalSummary) -> Iterator[CheckResult]:
    """The same of each source whose sample fails: a small one is lost in the sample of all."""
    for name, sample in removals.sources.items():
        if sample.precision_high < limits.min_precision:
            yield CheckResult(
                name="removal_precision",
                outcome=Outcome.FAIL,
                severity="fail",
                scope=name,
                observed=sample.confirmed / sample.sampled,
                high=sample.precision_high,
                bound=f">= {limits.min_precision:g}",
                margin=sample.precision_high - limits.min_precision,
                message=f"{name}: {sample.confirmed:,} of {sample.sampled:,} sampled near-duplicate removals confirmed",
            )
