"""Worth of a mixture beside fresh text, lens by lens, and how often its tokens are repeated."""

from pydantic import Field

from schemas.numbers import Estimate
from schemas.strict import Strict

# Repeat counts that tokens are counted by: 1, 2 to 4, 5 to 16, 17 to 64, 65 to 256, and more.
REPEAT_ENDS = (1, 4, 16, 64, 256)
REPEAT_WORDS = ("1", "2-4", "5-16", "17-64", "65-256", "> 256")
OFTEN = 17  # times or more: damage by repeats peaks at an intermediate count (arXiv:2606.24998)
OFTEN_SHOWN = 0.01  # share of tokens that are repeated so often, from which it is shown
TWINS = "twins"  # by meaning and by words, from the documents drawn for the verdict


class LensWorth(Strict):
    """Worth of a mixture through one lens; what the lens says nothing about is repeated by its epochs alone.

    Attributes:
        lens: name of the lens, or `twins`: documents alike by meaning that share words too.
        tokens: tokens of the mixture that the lens says something about.
        unique_tokens: tokens of the whole mixture, each text counted once: T E[1/c].
        effective_tokens: fresh tokens that would train as well: T E[h(c)], by the law of repetition.
        repeats: share of `tokens` by repeat count, `REPEAT_WORDS`; the values sum to 1.
        often: share of them that is repeated 17 times or more.
    """

    lens: str
    tokens: float = Field(ge=0)
    unique_tokens: Estimate
    effective_tokens: Estimate
    repeats: list[Estimate]
    often: Estimate


class Worth(Strict):
    """Worth of a mixture: a range, from unique tokens to effective ones through the lens that sees most copies.

    Attributes:
        tokens: tokens of the mixture, repeats included.
        lenses: at least one.
        last_epoch: by source, fresh tokens that a token of its last epoch (of the part of one that is taken) is worth
            to the mixture, 0..1, through the lens of the text that sees most copies.
    """

    tokens: float = Field(ge=0)
    lenses: list[LensWorth] = Field(min_length=1)
    last_epoch: dict[str, float] = Field(default_factory=dict)

    @property
    def least(self) -> LensWorth:
        """The lens that sees most copies: the one with the fewest unique tokens."""
        return min(self.lenses, key=lambda lens: lens.unique_tokens.value)
