"""Numbers of tokens and documents on the command line."""

from collections.abc import Callable

import typer


def count_of(least: int = 1) -> Callable[[str], int]:
    """A parser of typer for numbers such as `2B` and `10k`, of at least `least`."""

    def parse(written: str) -> int:
        from schemas.counts import parse_count

        try:
            found = parse_count(str(written))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        if found < least:
            raise typer.BadParameter(f"wanted at least {least}; got {found}")
        return found

    return parse
