"""Terms of an objective as people write them: `METRIC[@LENS][=WEIGHT]`."""

import math
import re
from collections.abc import Sequence

from polyculture.errors import ConfigError
from schemas.measures import Lens
from schemas.planned import ObjectiveTerm

_TERM = re.compile(r"^(?P<metric>[^@=]+)(@(?P<lens>[^=]+))?(=(?P<weight>.+))?$")


def parse_terms(where: str, texts: Sequence[str], lens: Lens = Lens.NEAR) -> tuple[ObjectiveTerm, ...]:
    """Terms; the lens is the given one where none stands.

    Args:
        where: the option or key, for messages.
        texts: terms as in `hill_1@exact=2`.
        lens: lens of terms that name none.

    Raises:
        ConfigError: a text is none, a lens unknown, or a weight not above 0.
    """
    terms = []
    for text in texts:
        match = _TERM.match(text.strip())
        if match is None:
            raise ConfigError(f"{where}: {text!r} is not METRIC[@LENS][=WEIGHT], as in hill_1@exact=2")
        named = match["lens"] or lens.value
        if named not in set(Lens):
            raise ConfigError(f"{where}: unknown lens {named!r}; known: {', '.join(Lens)}")
        weight = _weight(where, match["weight"] or "1")
        if not weight > 0:
            raise ConfigError(f"{where}: {text!r}: a weight is above 0")
        terms.append(ObjectiveTerm(metric=match["metric"].strip(), lens=Lens(named), weight=weight))
    return tuple(terms)


def _weight(where: str, text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise ConfigError(f"{where}: {text.strip()!r} is not a number")
    return found
