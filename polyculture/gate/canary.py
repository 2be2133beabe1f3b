"""Check that the measurement finds in the canary what was planted there."""

from polyculture.canary.layout import RECIPE
from polyculture.canary.truth import LENSES, METRICS, truths
from polyculture.gate.conditions import condition
from schemas.manifest import Manifest
from schemas.measures import Weighting
from schemas.profile import CanaryNumber, CanaryNumbers
from schemas.verdict import CheckResult

BROKEN = "nothing that this run measured is to be believed: update Polyculture and its libraries, and run again"

FEW_MISSED = 4  # the four numbers of a lens move together
CHANCE = "of a thousand seeds one misses by chance: if another `seed` passes, this was it"


def canary_check(manifest: Manifest, canary: CanaryNumbers | None) -> CheckResult:
    """All 99.99 % intervals hold the truth and every count is as planted, or the gate closes.

    The truth is worked out here from what the canary is made of; of the evidence only the estimates are taken.

    Args:
        manifest: manifest of the run.
        canary: the canary's numbers in its ledger, None if it has none.
    """
    if canary is None:
        return condition("canary", "all", False, f"canary: the ledger holds none that can be read; {BROKEN}")
    config = manifest.config
    belongs = (canary.identity_sha256, canary.seed, canary.threshold, canary.recipe)
    if belongs != (manifest.identity_sha256, config.seed, config.dedupe.near.threshold, RECIPE):
        return condition("canary", "all", False, "canary: it is of another run or version; run again")
    known = truths(config.dedupe.near.threshold)
    wanted = [(lens, weighting, metric) for lens in LENSES for weighting in Weighting for metric in METRICS]
    found = {(number.lens, number.weighting, number.metric): number for number in canary.numbers}
    truth = {key: known[key[0]].number(key[2], key[1]) for key in wanted}
    inside = [key for key in wanted if key in found and _holds(found[key], truth[key])]
    said = f"canary: {len(inside)} of {len(wanted)} known numbers inside their 99.99 % intervals"
    said += f", {max(0, canary.counts - canary.wrong):,} of {canary.counts:,} counts as planted"
    missed = [key for key in wanted if key not in inside]
    if missed:
        key = missed[0]
        got = f"{found[key].estimate.value:.4g}" if key in found else "nothing"
        said += f"; {key[0].value} {key[2].value} by {key[1].value} is {truth[key]:.4g} and was measured as {got}"
    holds = not missed and len(canary.numbers) == len(wanted) and canary.wrong == 0 < canary.counts
    cure = BROKEN if canary.wrong or len(missed) > FEW_MISSED else f"{BROKEN}; {CHANCE}"
    return condition("canary", "all", holds, said if holds else f"{said}; {cure}")


def _holds(number: CanaryNumber, truth: float) -> bool:
    """True if the interval holds the truth; 1e-9 of it are left to rounding where all of it was counted."""
    slack = 1e-9 * abs(truth)
    return number.estimate.low - slack <= truth <= number.estimate.high + slack
