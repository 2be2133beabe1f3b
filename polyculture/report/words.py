"""Numbers and untrusted strings as a person reads them. Nothing here rounds a number to another meaning."""

import math

from polyculture.storage.messages import brief, first_few
from schemas.profile import Estimate

STRING_LIMIT = 1000
SMALLEST_SHOWN = 1e-4


def visible(text: str, limit: int = STRING_LIMIT) -> str:
    """`text` with control, format and bidirectional characters escaped; a cut is marked by an ellipsis."""
    return brief(text, limit)


def label(text: str, limit: int = 22) -> str:
    """A name for a figure: ASCII, at most `limit` characters, shortened in its middle."""
    plain = visible(text).encode("ascii", "backslashreplace").decode()
    if len(plain) <= limit:
        return plain
    head = (limit - 2) // 2
    return f"{plain[:head]}..{plain[len(plain) - (limit - 2 - head) :]}"


def count(value: int) -> str:
    """A whole number with thousands separated: 1,234,567."""
    return f"{value:,d}"


def compact(value: int) -> str:
    """A whole number in words for a headline: 15.2 billion."""
    for size, word in ((10**12, "trillion"), (10**9, "billion"), (10**6, "million")):
        if value >= size:
            return f"{value / size:.3g} {word}" if value < 999.5 * size else f"{value / size:,.0f} {word}"
    return count(value)


def fraction(value: float) -> str:
    """A fraction with three decimals, four near 0 and 1; `0` and `1` alone are exact.

    Raises:
        ValueError: the value is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"a fraction must be finite, got {value}")
    if value in (0, 1):
        return f"{value:.0f}"
    gap = min(abs(value), abs(1 - value))
    if gap >= SMALLEST_SHOWN / 2:
        return f"{value:.3f}" if gap >= 0.00995 else f"{value:.4f}"
    if abs(value) > 0.5:
        return "> 0.9999" if value < 1 else "> 1"
    return "< 0.0001" if value > 0 else "> -0.0001"


def interval(estimate: Estimate) -> str:
    """The 95 % interval, or `counted` where nothing was estimated."""
    if estimate.low == estimate.high:
        return "counted"
    return f"[{fraction(estimate.low)}, {fraction(estimate.high)}]"


def capital(text: str) -> str:
    """The text with its first letter in upper case, and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def quantity(value: float) -> str:
    """A number that may be a fraction or a count: three decimals, from 1,000 on none.

    Raises:
        ValueError: the value is not finite.
    """
    return fraction(value) if not abs(value) >= 1000 else f"{value:,.0f}"


def percent(value: float) -> str:
    """A fraction as a percentage for prose: 93 %, 7.2 %, 0.1 %; never `100 %` or `0 %` unless exact.

    Raises:
        ValueError: the value is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"a fraction must be finite, got {value}")
    gap = min(abs(value), abs(1 - value))
    decimals = 0 if gap >= 0.0995 or gap == 0 else 1 if gap >= 0.00095 else 2 if gap >= SMALLEST_SHOWN / 2 else 4
    if 0 < gap < 5e-7:
        return "nearly 100 %" if value > 0.5 else "nearly 0 %"
    shown = f"{value * 100:.{decimals}f}"
    return f"{shown.rstrip('0').rstrip('.') if '.' in shown else shown} %"


def factor(value: float) -> str:
    """A rate or scale: up to four decimals, trailing zeros dropped.

    Raises:
        ValueError: the value is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"a factor must be finite, got {value}")
    if 0 < abs(value) < SMALLEST_SHOWN:
        return "< 0.0001"
    shown = f"{value:,.4f}" if abs(value) < 100 else f"{value:,.1f}"
    return shown.rstrip("0").rstrip(".")


def effective(value: float) -> str:
    """An effective number of documents: 7.8, 42.9, 1,204.

    Raises:
        ValueError: the value is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"an effective number must be finite, got {value}")
    return f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def short(value: float) -> str:
    """A fraction for a cell or label of a figure: `.07`, `0`, `1`, `<.01`, `>.99`."""
    if value in (0, 1):
        return f"{value:.0f}"
    if 0 < value < 0.005:
        return "<.01"
    if 0.995 <= value < 1:
        return ">.99"
    return fraction(round(value, 2))[: 4 if value >= 0 else 5].replace("0.", ".", 1)


def listing(names: list[str], most: int = 3) -> str:
    """`a, b, c and 4 more`."""
    if len(names) > most:
        return first_few(names, most)
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1] if names else ""]))
