"""`polyculture verify` and `polyculture report`: look at a finished run."""

import re
from pathlib import Path
from typing import Annotated

import typer

from cli.terminal import Terminal, print_json
from polyculture.errors import ConfigError

Run = Annotated[Path, typer.Argument(help="Run directory.", show_default=False)]
Anchor = Annotated[
    str | None,
    typer.Option(
        "--manifest-sha256",
        help="Digest that manifest.json must have, kept from `publish` or `sha256sum`.",
        metavar="HEX",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("verify")(verify)
    app.command("report")(report)


def verify(run: Run, manifest_sha256: Anchor = None, as_json: Json = False) -> None:
    """Read a finished run again: digests, counts, conservation, and the verdict."""
    if manifest_sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", manifest_sha256):
        raise ConfigError("--manifest-sha256: wanted 64 hexadecimal digits, as `sha256sum manifest.json` prints them")
    require_run(run)
    from cli.progress import ProgressDisplay
    from polyculture.inspect.verify import verify_run

    with ProgressDisplay(enabled=not as_json) as display:
        problems = verify_run(run, display.update, manifest_sha256.lower() if manifest_sha256 else None)
    if as_json:
        print_json({"run": str(run), "is_whole": not problems, "problems": problems})
    elif problems:
        for problem in problems:
            Terminal(is_error=True).line(f"damaged: {problem}", style="red")
    else:
        Terminal().line(f"{run} is whole: digests, counts, conservation and verdict agree.")
    raise typer.Exit(1 if problems else 0)


def report(run: Run, as_json: Json = False) -> None:
    """Render the report of a finished run again, and print where it is."""
    require_evidence(run)
    from polyculture.evidence.evidence import read_profile
    from polyculture.report.render import render_report
    from polyculture.storage.files import write_bytes
    from polyculture.storage.run_directory import RunDirectory, read_manifest, read_top_up, read_verdict

    directory = RunDirectory(run)
    try:
        manifest = read_manifest(directory)
        verdict = read_verdict(directory)
        profile = read_profile(directory, manifest)
        top_up = read_top_up(directory, manifest)
    except ValueError as error:
        raise ConfigError(
            f"{run}: damaged: {str(error).splitlines()[0]}; `polyculture verify {run}` says more"
        ) from error
    for name, content in render_report(manifest, profile, verdict, top_up).items():
        write_bytes(directory.report / name, content)
    index = directory.report / "index.html"
    if as_json:
        print_json({"report": str(index), "verdict": verdict.verdict.value})
    else:
        Terminal().line(str(index))


def require_evidence(run: Path) -> None:
    """Refuse a folder that is no finished run, and a run whose evidence the gate would not believe."""
    require_run(run)
    from polyculture.gate import rejudge
    from polyculture.storage.run_directory import RunDirectory

    rejudge.require_evidence(RunDirectory(run))


def require_run(run: Path) -> None:
    """Refuse a folder that is no finished run."""
    if not (run / "manifest.json").is_file():
        raise ConfigError(f"{run} is not a finished run (it has no manifest.json); name the folder given to --out")
