"""Tables that are as wide as they need to be: a number that is cut off says something else."""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

WIDEST = 1000


def needed_width(table: Table) -> int:
    """Columns of a terminal that a table needs."""
    console = Console(highlight=False)
    return Measurement.get(console, console.options.update(width=WIDEST), table).maximum


def print_whole(table: Table) -> None:
    """Print a table without cutting a cell, whatever the terminal's width."""
    Console(highlight=False, width=max(Console().width, needed_width(table))).print(table)
