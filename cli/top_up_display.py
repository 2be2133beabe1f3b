"""Terminal output of a top-up: before and after, what was chosen, what is lacking."""

from rich.console import Console
from rich.table import Table

from polyculture.report.top_up import mixture_rows, sentences, source_rows_of
from polyculture.storage.messages import safe_detail
from polyculture.storage.run_directory import RunDirectory, read_manifest, read_top_up


def print_top_up(directory: RunDirectory) -> None:
    """Print the account of a finished top-up."""
    found = read_top_up(directory, read_manifest(directory))
    if found is None:
        return
    console = Console(highlight=False)
    for rows in (source_rows_of(found), mixture_rows(found)):
        console.print()
        _print(console, rows)
    console.print()
    for number, sentence in enumerate(sentences(found)):
        is_short = number == 0 and found.lacking_tokens > 0
        console.print(
            safe_detail(sentence, 1000), style="bold yellow" if is_short else "", markup=False, soft_wrap=True
        )


def _print(console: Console, rows: list[list[str]]) -> None:
    header, *body = rows
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(header):
        table.add_column(name, justify="left" if number == 0 else "right", no_wrap=True)
    for row in body:
        table.add_row(*map(safe_detail, row))
    wide = max(console.width, 30 + sum(max(len(row[i]) for row in rows) + 2 for i in range(len(header))))
    Console(highlight=False, width=wide).print(table)
