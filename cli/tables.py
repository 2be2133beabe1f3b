"""Tables that are as wide as they need to be: a number that is cut off says something else."""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

WIDEST = 1000


def print_whole(table: Table) -> None:
    """Print a table without cutting a cell, whatever the terminal's width."""
    console = Console(highlight=False)
    needed = Measurement.get(console, console.options.update(width=WIDEST), table).maximum
    Console(highlight=False, width=max(console.width, needed)).print(table)
