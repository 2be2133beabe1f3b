"""The terminal, for people: a text is shown as it stands, never read as markup, as an emoji or as a control sequence.

Every command prints through this module, and no other imports rich but `cli.progress`: a test holds them to it.
"""

import io
import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from polyculture.storage.messages import escaped

if TYPE_CHECKING:
    from pydantic import BaseModel

WIDEST = 100_000

Part = str | tuple[str, str]  # a text, or a text and its style


class Grid:
    """A table of texts. It is as wide as it needs to be: a number that is cut off says something else."""

    def __init__(self, *header: str, words: int = 1, is_last_words: bool = False) -> None:
        """Create a table without rows.

        Args:
            header: names of the columns.
            words: number of columns, from the left, that hold words; the others hold numbers, and are aligned right.
            is_last_words: True if the last column holds words too.
        """
        self._table = Table(box=None, pad_edge=False, header_style="bold")
        for number, name in enumerate(header):
            is_word = number < words or (is_last_words and number == len(header) - 1)
            self._table.add_column(_text(name), justify="left" if is_word else "right", no_wrap=True)

    def row(self, *cells: Part, style: str = "") -> None:
        """Add a row."""
        self._table.add_row(*map(_text, cells), style=style)

    @property
    def width(self) -> int:
        """Columns of a terminal that the table needs."""
        console = _console()
        return Measurement.get(console, console.options.update(width=WIDEST), self._table).maximum

    def show(self) -> None:
        """Print it on standard output, no cell cut, whatever the terminal's width."""
        _console(width=max(_console().width, self.width)).print(self._table)


def grid_of(rows: Sequence[Sequence[str]], words: int = 1, *, is_last_words: bool = False) -> Grid:
    """A table of rows, the first of which is the header."""
    header, *body = rows
    grid = Grid(*header, words=words, is_last_words=is_last_words)
    for row in body:
        grid.row(*row)
    return grid


class Terminal:
    """Standard output or standard error."""

    def __init__(self, *, is_error: bool = False) -> None:
        """Print on standard error if `is_error`, else on standard output."""
        self._console = _console(is_error=is_error)

    @property
    def width(self) -> int:
        """Columns of the terminal; 80 if the output goes elsewhere."""
        return self._console.width

    def line(self, *parts: Part, style: str = "") -> None:
        """Print one line, which is not folded: a path can be copied from it."""
        self._console.print(Text.assemble(*map(_text, parts), style=style), soft_wrap=True)

    def labelled(self, rows: Iterable[tuple[Part, Part]]) -> None:
        """Print texts beside their labels; a long text is folded beside its label."""
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for label, text in rows:
            table.add_row(_text(label), _text(text))
        self._console.print(table)


def print_json(found: "BaseModel | dict[str, object]") -> None:
    """Print JSON on standard output, in ASCII where the output's encoding lacks a character."""
    text = json.dumps(found) if isinstance(found, dict) else found.model_dump_json()
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(json.loads(text))
    print(text)


_notes: list[str] = []


def note(text: str) -> None:
    """Keep a line for the end of the command, below its progress and before its error."""
    _notes.append(text)


def print_notes() -> None:
    """Print the lines that were kept, on standard error."""
    while _notes:
        Terminal(is_error=True).line(_notes.pop(0), style="yellow")


def accept_every_character() -> None:
    """Have standard output and error escape what their encoding lacks, instead of failing after the work."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _console(*, is_error: bool = False, width: int | None = None) -> Console:
    return Console(stderr=is_error, width=width, highlight=False, markup=False, emoji=False)


def _text(part: Part) -> Text:
    text, style = (part, "") if isinstance(part, str) else part
    return Text(escaped(text), style=style)
