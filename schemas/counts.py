"""Numbers of tokens and documents as people write them: `2B`, `1.5M`, `10k`, `1e9`."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_SUFFIXES = {"": 0, "k": 3, "m": 6, "b": 9, "t": 12}
_COUNT = re.compile(r"\+?([0-9][0-9_]*(?:\.[0-9]+)?|\.[0-9]+)(?:e\+?([0-9]{1,2}))? ?([kmbt]?)", re.IGNORECASE)
FORMS = "a whole number such as 2_000_000, 10k, 5M, 2B, 1T or 1e9"


def parse_count(written: str) -> int:
    """A number of tokens or documents, with a suffix for thousands (k), millions (M), billions (B) or trillions (T).

    Raises:
        ValueError: it is no such number, or not a whole one.
    """
    found = _COUNT.fullmatch(written.strip())
    if found is None:
        raise ValueError(f"wanted {FORMS}; got {written[:40]!r}")
    number, exponent, suffix = found.groups()
    value = Decimal(number.replace("_", "")).scaleb(int(exponent or 0) + _SUFFIXES[suffix.lower()])
    if value != value.to_integral_value():
        raise ValueError(f"wanted {FORMS}; got {written[:40]!r}, which is not whole")
    return int(value)


def _read(value: Any) -> Any:
    return parse_count(value) if isinstance(value, str) else value


Count = Annotated[int, BeforeValidator(_read, json_schema_input_type=int | str), Field(gt=0)]
