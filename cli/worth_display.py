"""Terminal output about what a mixture is worth."""

from rich.console import Console
from rich.table import Table

from cli.tables import print_whole
from polyculture.mixture.plan.worth_words import repeat_table, worth_sentences
from schemas.worth import Worth


def print_worth(console: Console, worth: Worth) -> None:
    """The range and the lens that it is by, what is repeated often, and the tokens by repeat count."""
    first, *others = worth_sentences(worth)
    console.print(first, soft_wrap=True, markup=False)
    header, *rows = repeat_table(worth)
    table = Table(box=None, pad_edge=False)
    for number, word in enumerate(header):
        table.add_column(word, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*row)
    print_whole(table)
    for sentence in others:
        console.print(sentence, style="dim", soft_wrap=True, markup=False)
