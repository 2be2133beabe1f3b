"""A change of rates as the shares and the budget that a configuration of shares would state for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.manifest import Manifest

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class CuredShares:
    """A mixture of shares.

    Attributes:
        tokens: tokens of the mixture.
        shares: share of every source, to four decimals, summing to 1.
    """

    tokens: int
    shares: dict[str, float]

    @property
    def flow(self) -> str:
        """`mixture: {tokens: 900, shares: {a: 0.75, b: 0.25}}`."""
        shares = ", ".join(f"{name}: {share:g}" for name, share in self.shares.items())
        return f"mixture: {{tokens: {self.tokens}, shares: {{{shares}}}}}"


def cured_shares(manifest: Manifest, factors: Mapping[str, float]) -> CuredShares | None:
    """The mixture of a run after its sources are taken less often.

    Args:
        manifest: manifest of the run.
        factors: factor on the tokens of each source that changes.

    Returns:
        None where the run did not ask for shares, has several phases, or nothing would be left.
    """
    plan, config = manifest.plan, manifest.config.mixture
    if plan is None or config.shares is None:
        return None
    tokens = {source.name: source.tokens * factors.get(source.name, 1.0) for source in plan.sources}
    total = sum(tokens.values())
    if total < 1:
        return None
    shares = {name: round(amount / total, _DIGITS) for name, amount in tokens.items()}
    largest = max(shares, key=lambda name: shares[name])
    rest = sum(share for name, share in shares.items() if name != largest)
    shares[largest] = round(1 - rest, _DIGITS)
    return CuredShares(int(total), shares)
