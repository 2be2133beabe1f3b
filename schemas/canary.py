"""The canary's part of the ledger."""

from schemas.ledger import LedgerHeader


class CanaryHeader(LedgerHeader):
    """The run and the recipe that the canary's counts belong to.

    Attributes:
        identity_sha256: identity of the run that they were made in.
        recipe: recipe of the canary's documents.
        drawn_by: seed that probes were drawn by; the run's own in runs of earlier versions.
    """

    identity_sha256: str
    recipe: int
    drawn_by: int | None = None
