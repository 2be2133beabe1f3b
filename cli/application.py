"""The application: its commands and their order. Importing this module loads what parses command lines."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli import (
    dedupe_command,
    diff_command,
    encoder_commands,
    export_command,
    find_command,
    gate_command,
    history_command,
    index_commands,
    inspect_commands,
    mixture_commands,
    pilot_command,
    profile_command,
    publish_command,
    run_commands,
    takedown_command,
    top_up_command,
    trial_command,
)
from polyculture import __version__
from polyculture.storage.messages import escaped


@contextmanager
def _escaping_usage_errors() -> Iterator[None]:
    """Escape what typer's own messages repeat of the command line: it prints them itself, names of options raw."""
    try:
        yield
    except Exception as raised:
        error: Any = raised
        if hasattr(error, "format_message") and isinstance(getattr(error, "message", None), str):
            error.message = "\n".join(escaped(line) for line in error.message.split("\n"))
        raise


class _Commands(TyperGroup):
    """The commands; nothing in a usage error of theirs is control."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with _escaping_usage_errors():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        with _escaping_usage_errors():
            return super().invoke(ctx)


app = typer.Typer(
    name="polyculture",
    cls=_Commands,
    help="Curate the corpus of a training run, and say before it starts whether the mix is as varied as you believe.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 GO or fine, 1 error, 2 bad configuration or usage, 3 NO-GO, 4 UNKNOWN, 5 directory in use.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"polyculture {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options before the command."""


run_commands.register(app)
inspect_commands.register(app)
mixture_commands.register(app)
dedupe_command.register(app)
index_commands.register(app)
encoder_commands.register(app)
takedown_command.register(app)
trial_command.register(app)
pilot_command.register(app)
profile_command.register(app)
find_command.register(app)
gate_command.register(app)
diff_command.register(app)
publish_command.register(app)
history_command.register(app)
export_command.register(app)
top_up_command.register(app)
