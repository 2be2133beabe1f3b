"""Terminal output of a top-up: before and after, what was chosen, what is lacking."""

from cli.terminal import Terminal, grid_of
from polyculture.report.top_up import mixture_rows, sentences, source_rows_of
from polyculture.storage.run_directory import RunDirectory, read_manifest, read_top_up


def print_top_up(directory: RunDirectory) -> None:
    """Print the account of a finished top-up."""
    found = read_top_up(directory, read_manifest(directory))
    if found is None:
        return
    terminal = Terminal()
    for rows in (source_rows_of(found), mixture_rows(found)):
        terminal.line()
        grid_of(rows).show()
    terminal.line()
    for number, sentence in enumerate(sentences(found)):
        is_short = number == 0 and found.lacking_tokens > 0
        terminal.line(sentence, style="bold yellow" if is_short else "")
