"""Worth in words: the range with the lens that it is by, the tokens by repeat count, and what neither can say."""

from schemas.worth import OFTEN, OFTEN_SHOWN, REPEAT_WORDS, TWINS, LensWorth, Worth

_UNITS = ((10**12, " trillion"), (10**9, " billion"), (10**6, " million"))
LAST_EPOCH_SHOWN = 0.95  # of fresh text: below it a source's last epoch is named
_MOST_SOURCES = 3
_ROUNDING = 1e-9  # of shares that are sums over probes
CANNOT_SAY = (
    "It says what repeats cost, and not what the text is good for: of natural mixtures, likeness to the text that a "
    "model is to read comes first, and uniqueness adds after it."
)


def worth_words(worth: Worth) -> str:
    """`worth: 12.3 to 14.1 of 15.0 billion tokens (least by near)`: unique tokens, effective ones, and all."""
    least = worth.least
    size, unit = next(((size, unit) for size, unit in _UNITS if worth.tokens >= size), (1, ""))
    numbers = least.unique_tokens.value, least.effective_tokens.value, worth.tokens
    low, high, whole = (_three(number / size) if unit else f"{number:,.0f}" for number in numbers)
    return f"worth: {low} to {high} of {whole}{unit} tokens (least by {least.lens})"


def _three(number: float) -> str:
    """Three digits at least: 15.0, 1.50, 123."""
    return f"{number:.2f}" if number < 9.995 else f"{number:.1f}" if number < 99.95 else f"{number:,.0f}"


def often_words(worth: Worth) -> str | None:
    """Say what share of the tokens is repeated 17 times or more, by each lens; None where it is below 1 % by all."""
    often = [lens for lens in worth.lenses if lens.often.value >= OFTEN_SHOWN]
    if not often:
        return None
    shares = ", ".join(f"{_percent(lens.often.value)} of the tokens by {lens.lens}" for lens in often)
    return (
        f"Repeated {OFTEN} times or more: {shares}. Damage by repeats peaks at an intermediate count "
        "(arXiv:2606.24998), so look at these even where the worth is high."
    )


def foreseen_sentences(worth: Worth) -> list[str]:
    """The range, and what is repeated often: what a plan says before anything is written."""
    words, often = worth_words(worth), often_words(worth)
    return [f"{words[:1].upper()}{words[1:]}.", *([often] if often else [])]


def last_words(worth: Worth) -> str | None:
    """Name the sources whose last epoch is worth least beside fresh text; None if every one is nearly as good."""
    worn = sorted((value, name) for name, value in worth.last_epoch.items() if value < LAST_EPOCH_SHOWN)
    if not worn:
        return None
    shown = ", ".join(f"{value:.2f} in {name}" for value, name in worn[:_MOST_SOURCES])
    more = f" and less than {LAST_EPOCH_SHOWN:g} in {len(worn) - _MOST_SOURCES} more" if worn[_MOST_SOURCES:] else ""
    return f"Of fresh text, a token of the last epoch is worth {shown}{more}."


def worth_sentences(worth: Worth) -> list[str]:
    """The range, what is repeated often, what last epochs are worth, and what the numbers cannot say."""
    found = [*foreseen_sentences(worth), last_words(worth), CANNOT_SAY]
    if any(lens.lens == TWINS for lens in worth.lenses):
        found.append("Twins of a document are taken to be in the mixture as often as the document's own source.")
    return [sentence for sentence in found if sentence is not None]


def repeat_table(worth: Worth) -> list[list[str]]:
    """A header and a row per lens: unique tokens, worth, and the share of tokens by repeat count."""
    return [["tokens by repeat count", "unique", "worth", *REPEAT_WORDS], *map(_row, worth.lenses)]


def _row(lens: LensWorth) -> list[str]:
    tokens = f"{lens.unique_tokens.value:,.0f}", f"{lens.effective_tokens.value:,.0f}"
    return [lens.lens, *tokens, *(_percent(share.value) for share in lens.repeats)]


def _percent(share: float) -> str:
    """`3.2 %`; `0 %` and `100 %` for nothing and all alone."""
    if min(share, 1 - share) < _ROUNDING:
        return f"{100 * share:.0f} %"
    return "< 0.1 %" if share < 5e-4 else f"{min(100 * share, 99.9):.1f} %"
