"""Changes that open the gate of a finished run: worked out from its ledger, nothing is made."""

from polyculture.errors import PolycultureError
from polyculture.gate.cure import cheapest_cure
from polyculture.gate.cured_shares import cured_shares
from polyculture.gate.judge import Terms
from polyculture.gate.narrow import narrow_share
from polyculture.gate.policy import drawn_for
from polyculture.gate.rejudge import judge_directory
from polyculture.measure.repetition.repetition_file import read_repetition
from polyculture.storage.hashing import file_sha256
from polyculture.storage.run_directory import RunDirectory, read_manifest, read_verdict
from schemas.gate_cure import GateCure
from schemas.policy import NarrowRule

_OF_RATES = ("narrow", "unread")


def open_gate(directory: RunDirectory) -> GateCure:
    """Find the cheapest change of rates after which the narrow share opens the gate.

    Args:
        directory: directory of a finished run or audit.

    Returns:
        The change, in epochs of each source as the run has them. Tenths of a second.

    Raises:
        PolycultureError: the evidence is damaged, or the run has none document by document.
    """
    manifest, verdict = read_manifest(directory), read_verdict(directory)
    judged = judge_directory(directory, None, Terms(as_of=verdict.as_of))
    if any(check.name == "evidence" for check in judged.failed()):
        raise PolycultureError(f"{directory.root}: {judged.headline}; nothing can be said of what would open its gate")
    repetition = read_repetition(directory.ledger)
    drawn = drawn_for(manifest, repetition.rows if repetition is not None else None, manifest.config.gate.rules)
    if drawn is None:
        raise PolycultureError(
            f"{directory.root} has no evidence document by document: it was made by an earlier version; run again"
        )
    rule = manifest.config.gate.rules.narrow or NarrowRule()
    share, cure = narrow_share(drawn, rule), cheapest_cure(drawn, rule)
    own = {source.name: source.rate for source in manifest.plan.sources} if manifest.plan is not None else {}
    factors = cure.factors if cure is not None else {}
    shares = cured_shares(manifest, factors) if factors else None
    return GateCure(
        run=manifest.name,
        manifest_sha256=file_sha256(directory.manifest),
        limit=rule.at_most,
        narrow=share.estimate(),
        is_open=bool(share.high <= rule.at_most),
        left=cure.share.estimate() if cure is not None else None,
        rates={name: float(f"{own.get(name, 1.0) * factor:.4g}") for name, factor in factors.items()},
        shares=shares.shares if shares is not None else None,
        tokens=shares.tokens if shares is not None else None,
        cost=cure.cost if cure is not None else 0.0,
        kept=cure.kept if cure is not None else {},
        others=sorted({check.name for check in judged.failed() if check.name not in _OF_RATES}),
    )
