"""`polyculture gate`: judge a finished run again, by its own policy or another."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.inspect_commands import require_run
from polyculture.errors import ConfigError

if TYPE_CHECKING:
    from polyculture.storage.run_directory import RunDirectory
    from schemas.verdict import Verdict

Run = Annotated[Path, typer.Argument(help="Run directory.", show_default=False)]
Policy = Annotated[
    Path | None,
    typer.Option("--policy", help="YAML with what stands under `gate:`.", show_default="the run's own"),
]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="Day on which waivers are judged.", show_default="today"),
]
LastGoRun = Annotated[
    Path | None,
    typer.Option("--last-go", help="Run directory of the last run that was GO.", show_default="the policy's"),
]
Write = Annotated[bool, typer.Option("--write", help="Replace the run's verdict.json, and render its report again.")]
Json = Annotated[bool, typer.Option("--json", help="Print the verdict as JSON on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("gate")(gate)


def gate(  # noqa: PLR0913, PLR0917 - the options of the command
    run: Run,
    policy: Policy = None,
    as_of: AsOf = None,
    last_go: LastGoRun = None,
    write: Write = False,
    as_json: Json = False,
) -> None:
    """Judge a finished run again: a changed byte of evidence or shards is NO-GO. Nothing is written without --write."""
    require_run(run)
    from polyculture.configuration import load_policy
    from polyculture.evidence.last_go import find_last_go, require_go
    from polyculture.storage.run_directory import RunDirectory, read_manifest

    directory = RunDirectory(run)
    try:
        manifest = read_manifest(directory)
    except ValueError as error:
        raise ConfigError(f"{run}: manifest.json is damaged: {str(error).splitlines()[0]}; run again") from error
    config = load_policy(policy, manifest.config) if policy is not None else manifest.config
    other = last_go
    if other is None and policy is not None and config.gate.last_go is not None:
        other = policy.resolve().parent / config.gate.last_go
    if other is not None and write:
        raise ConfigError("--write: a verdict must follow from the run's own files; give last_go to `polyculture run`")
    if other is not None:
        require_go(other)
    from cli.display import EXIT_CODES, print_verdict
    from polyculture.evidence.evidence import damaged_files
    from polyculture.gate import Terms
    from polyculture.gate.rejudge import judge_directory

    day = as_of or datetime.now(UTC)
    terms = Terms(
        as_of=day.date(),
        last_go=find_last_go(other, config) if other is not None else None,
        damage=damaged_files(directory, manifest),
    )
    verdict = judge_directory(directory, config.gate, terms)
    if write:
        _write(directory, verdict)
    print_verdict(directory, verdict, as_json)
    raise typer.Exit(EXIT_CODES[verdict.verdict])


def _write(directory: "RunDirectory", verdict: "Verdict") -> None:
    """Replace the verdict, and the report that tells of it; of void evidence nothing is written."""
    from polyculture.evidence.evidence import read_profile
    from polyculture.report.render import render_report
    from polyculture.storage.files import write_bytes, write_text
    from polyculture.storage.run_directory import read_manifest, read_top_up

    if any(check.name == "evidence" and check in verdict.failed() for check in verdict.checks):
        return
    manifest = read_manifest(directory)
    with directory.lock():
        write_text(directory.verdict, verdict.model_dump_json(indent=1) + "\n")
        evidence = manifest, read_profile(directory, manifest), verdict, read_top_up(directory, manifest)
        for name, content in render_report(*evidence).items():
            write_bytes(directory.report / name, content)
