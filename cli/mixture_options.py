"""Mixture options as a person types them: `a=1,b=.3`, `synthetic<=.3`, `hill_1@exact=2`."""

import re
from collections.abc import Sequence
from typing import TypeVar

from polyculture.errors import ConfigError
from polyculture.mixture.plan.terms import parse_terms
from schemas.documents import Kind
from schemas.measures import Lens
from schemas.planned import FractionRange, ObjectiveTerm, SourceRange

_LIMIT = re.compile(r"^(?P<name>[^<>=]+)(?P<sign><=|>=)(?P<bound>.+)$")
Key = TypeVar("Key", bound=str)


def parse_rates(text: str, option: str = "--rates") -> dict[str, float]:
    """`a=1,b=.3` as rates, or shares, by name.

    Raises:
        ConfigError: a part is not `name=number`, or a name stands twice.
    """
    rates: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, sign, number = part.partition("=")
        name = name.strip()
        if not sign or not name:
            raise ConfigError(
                f"{option}: {part!r} is not NAME=RATE; write for example {option} web=0.75,synthetic=0.25"
            )
        if name in rates:
            raise ConfigError(f"{option}: {name} is given twice")
        rates[name] = _number(option, number)
    return rates


def parse_limits(option: str, texts: Sequence[str]) -> dict[str, SourceRange]:
    """`name<=.3` and `name>=.1` as limits by name; both may stand for one name.

    Raises:
        ConfigError: a text is no limit, or a fraction is not in 0..1.
    """
    found: dict[str, dict[str, float]] = {}
    for text in texts:
        match = _LIMIT.match(text.strip())
        if match is None:
            raise ConfigError(f"{option}: {text!r} is not a limit; write for example {option} 'name<=0.3'")
        bound = _number(option, match["bound"])
        if not 0 <= bound <= 1:
            raise ConfigError(f"{option}: {text!r}: a share of the mixture's tokens is 0 to 1")
        side = "max_fraction" if match["sign"] == "<=" else "min_fraction"
        if found.setdefault(match["name"].strip(), {}).setdefault(side, bound) != bound:
            raise ConfigError(f"{option}: {match['name'].strip()} has two limits {match['sign']}")
    return {name: SourceRange.model_validate(sides) for name, sides in found.items()}


def parse_kinds(texts: Sequence[str]) -> dict[Kind, FractionRange]:
    """Limits by kind.

    Raises:
        ConfigError: see `parse_limits`; or a kind is unknown.
    """
    limits = parse_limits("--kind", texts)
    for name in limits:
        if name not in set(Kind):
            raise ConfigError(f"--kind: unknown kind {name!r}; known: {', '.join(Kind)}")
    return {Kind(name): FractionRange(**limit.model_dump(exclude={"max_epochs"})) for name, limit in limits.items()}


def parse_objectives(texts: Sequence[str], lens: Lens) -> tuple[ObjectiveTerm, ...]:
    """`METRIC[@LENS][=WEIGHT]` as terms; the lens is that of --lens where none stands.

    Raises:
        ConfigError: a text is none, a lens unknown, or a weight not above 0.
    """
    return parse_terms("--objective", texts, lens)


def parse_lenses(texts: Sequence[str]) -> list[Lens]:
    """Lenses by name.

    Raises:
        ConfigError: one is unknown.
    """
    for text in texts:
        if text not in set(Lens):
            raise ConfigError(f"unknown lens {text!r}; known: {', '.join(Lens)}")
    return [Lens(text) for text in texts]


def _number(option: str, text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not -1e300 < found < 1e300:
        raise ConfigError(f"{option}: {text.strip()!r} is not a number")
    return found
