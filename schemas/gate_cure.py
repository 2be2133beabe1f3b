"""The cheapest change of rates that opens a closed gate."""

from schemas.numbers import Estimate
from schemas.strict import Strict


class GateCure(Strict):
    """Changes that would open the gate of a run, from its ledger.

    Attributes:
        run: name of the run.
        manifest_sha256: digest of its manifest.
        limit: most of the tokens that may be narrow.
        narrow: share of the mixture's tokens that is narrow.
        is_open: whether the narrow share keeps nothing closed.
        left: narrow share after the change; None if there is none to make, or none that helps.
        rates: epochs of every source whose rate changes.
        shares, tokens: the same change as the share of every source and the budget, where the run asked for shares;
            None else.
        cost: share of the mixture's tokens that the change gives up.
        kept: of each changed source, the share of what it says that is still said.
        others: names of the checks that keep the gate closed whatever the rates are.
    """

    run: str
    manifest_sha256: str
    limit: float
    narrow: Estimate
    is_open: bool
    left: Estimate | None = None
    rates: dict[str, float]
    shares: dict[str, float] | None = None
    tokens: int | None = None
    cost: float
    kept: dict[str, float]
    others: list[str]
