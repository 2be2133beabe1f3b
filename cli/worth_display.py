"""Terminal output about what a mixture is worth."""

from cli.terminal import Terminal, grid_of
from polyculture.mixture.plan.worth_words import repeat_table, worth_sentences
from schemas.worth import Worth


def print_worth(terminal: Terminal, worth: Worth) -> None:
    """The range and the lens that it is by, what is repeated often, and the tokens by repeat count."""
    first, *others = worth_sentences(worth)
    terminal.line(first)
    grid_of(repeat_table(worth)).show()
    for sentence in others:
        terminal.line(sentence, style="dim")
