"""Checks of a mixture that need no data; this module loads none of what measures or plans."""

from collections.abc import Mapping

from polyculture.errors import ConfigError
from polyculture.mixture.plan.limits import Supply, refuse_clash
from polyculture.mixture.plan.terms import parse_terms
from schemas.documents import Kind
from schemas.mixture_config import SHARES_WITHIN, MixtureConfig, MixtureLimit, MixtureTerms
from schemas.planned import OBJECTIVE_METRICS


def needs_ledger(config: MixtureConfig) -> bool:
    """True if a plan waits for the ledger: to choose rates, or to foresee what each of several phases holds."""
    return bool(config.phases) or any(terms.rates == "auto" for terms in config.terms)


def check_mixture(config: MixtureConfig, names: Mapping[str, Kind]) -> None:
    """Check what needs no data of a mixture: its objectives, and limits that contradict each other.

    Raises:
        ConfigError: it says which.
    """
    for number, terms in enumerate(config.terms):
        where = f"mixture.phases.{number}" if config.phases else "mixture"
        if terms.rates == "auto":
            asked = parse_terms(f"{where}.objective", terms.objective)
            for term in asked:
                if term.metric not in OBJECTIVE_METRICS:
                    known = ", ".join(OBJECTIVE_METRICS)
                    raise ConfigError(f"{where}.objective: unknown objective {term.metric!r}; known here: {known}")
        found = config.limits_of(terms)
        if found.shares is not None:
            _refuse_shares(where, found, found.shares, names)
        supplies = [
            Supply(name, kind, 1, float(found.asks_for(name)), 1.0, *share_limits(found, name))
            for name, kind in names.items()
        ]
        refuse_clash(where, supplies, found.kinds)


def _refuse_shares(where: str, terms: MixtureTerms, shares: Mapping[str, float], names: Mapping[str, Kind]) -> None:
    """Refuse shares that lie outside limits on the same shares.

    Raises:
        ConfigError: it names the share and its limits.
    """
    limited: list[tuple[str, list[str], MixtureLimit]] = [
        (f"sources.{name}", [name], limit) for name, limit in terms.sources.items()
    ]
    limited += [
        (f"kinds.{kind.value}", [name for name in names if names[name] is kind], limit)
        for kind, limit in terms.kinds.items()
    ]
    for place, members, limit in limited:
        share = sum(shares.get(name, 0.0) for name in members)
        if not limit.min_fraction - SHARES_WITHIN <= share <= limit.max_fraction + SHARES_WITHIN:
            raise ConfigError(
                f"{where}.shares: {', '.join(members) or 'no source'}: {share:g} of the tokens, but {where}.{place} "
                f"allows {limit.min_fraction:g} to {limit.max_fraction:g}; change the one or the other"
            )


def share_limits(terms: MixtureTerms, name: str) -> tuple[float, float]:
    """Least and largest share of a source."""
    limit = terms.sources.get(name)
    return (limit.min_fraction, limit.max_fraction) if limit is not None else (0.0, 1.0)
