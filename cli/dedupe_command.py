"""`polyculture dedupe`: remove duplicates from files, without a configuration."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.terminal import Grid, Terminal
from polyculture.errors import ConfigError
from polyculture.storage.messages import brief, first_few
from schemas.survivor import Survivor

if TYPE_CHECKING:
    from pydantic import ValidationError

    from polyculture.deduplication.request import DedupeJob
    from schemas.dedupe import DedupeSummary, FileLosses, FileReading
    from schemas.source_config import LimitsConfig

MOST_FILES = 50  # that are shown; dedupe.json has all of them

Inputs = Annotated[list[str], typer.Argument(help="Files or folders with `id` and `text`.", show_default=False)]
Out = Annotated[Path, typer.Option("--out", help="Folder for the result; it must be empty.", show_default=False)]
Threshold = Annotated[float, typer.Option("--threshold", min=0.5, max=1.0, help="Least Jaccard similarity.")]
Text = Annotated[str, typer.Option("--text", help="Column or key of the text; dots reach into objects.")]
Id = Annotated[str, typer.Option("--id", help="Column or key of the id.")]
MostRemoved = Annotated[
    float | None,
    typer.Option(
        "--max-removed-fraction", min=0.0, max=1.0, help="Exit with 3 if a file loses more.", show_default="no limit"
    ),
]
Limits = Annotated[
    list[str] | None,
    typer.Option("--limit", help="A bound of `limits:`, as max_document_bytes=20_000_000; may be repeated."),
]
Reading = Annotated[
    list[str] | None,
    typer.Option(
        "--read",
        help="A setting of how files are read, as text_records=blank_lines, cut_pages=leave_out or "
        "'chat_template={role}: {content}'; may be repeated.",
    ),
]
AllowEmpty = Annotated[bool, typer.Option("--allow-empty", help="Exit with 0 although a file gave no document.")]
Against = Annotated[
    list[str] | None,
    typer.Option("--against", help="An index, or files or folders, to compare with; may be repeated."),
]
Stays = Annotated[Survivor, typer.Option("--survivor", help="Survivor of a pair of the input and --against.")]
Measure = Annotated[bool, typer.Option("--measure", help="Remove nothing; matches/ lists what would be removed.")]
Index = Annotated[Path | None, typer.Option("--index", help="Add what is kept to this index, for later runs.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, max=1024, help="Number of processes and threads.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("dedupe")(dedupe)


def dedupe(  # noqa: PLR0913, PLR0917 - the options of the command
    inputs: Inputs,
    out: Out,
    threshold: Threshold = 0.8,
    text: Text = "text",
    identity: Id = "id",
    against: Against = None,
    survivor: Stays = Survivor.AGAINST,
    measure: Measure = False,
    index: Index = None,
    limits: Limits = None,
    reading: Reading = None,
    max_removed_fraction: MostRemoved = None,
    allow_empty: AllowEmpty = False,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Remove exact and near-duplicates over all files together: `kept/` and `removed/` as Parquet.

    Every removed document is verified on its text, and has a kept twin that is named beside it.
    """
    from pydantic import ValidationError

    from cli.progress import ProgressDisplay
    from polyculture.deduplication.request import READ_SETTINGS, DedupeJob
    from schemas.dedupe_config import NearConfig
    from schemas.documents import Kind
    from schemas.source_config import SourceConfig

    fields = {"text": text} | ({} if identity == "id" else {"id": identity})  # a mapped column must be there
    settings = _parse_settings("--read", reading or [], READ_SETTINGS)
    try:
        source = SourceConfig.model_validate(
            {"name": "input", "kind": Kind.WEB, "paths": tuple(inputs), "fields": fields, **settings}
        )
    except ValidationError as error:
        raise _refused("--read", error, "") from error
    try:
        near, others = NearConfig(threshold=threshold), tuple(against or ())
    except ValidationError as error:
        raise ConfigError(f"--threshold: {error.errors()[0]['msg']}") from error
    bounds = _parse_limits(limits or [])
    job = DedupeJob(source, near, out, others, survivor, measure, index, Path.cwd(), bounds)
    if measure and index is not None:
        raise ConfigError("--index: nothing is kept with --measure; leave one of them out")
    with ProgressDisplay(enabled=not as_json) as display:
        with display.stage(f"checking {brief(', '.join(inputs), 200)}"):
            from cli.preflight import check_machine

            check_machine(out, _make_out(job))
        with display.loading():
            from cli.display import print_result
            from polyculture.compute.executor import local_workers
            from polyculture.deduplication.request import held_output
            from polyculture.deduplication.search import Workplace
            from polyculture.deduplication.standalone import dedupe_files
        with held_output(out) as work, local_workers(workers) as executor:
            summary = dedupe_files(job, executor, Workplace(work, executor.workers, display.update))
    print_result(summary, as_json, lambda: _show(summary, out))
    is_over = max_removed_fraction is not None and _complain_of_losses(summary, max_removed_fraction)
    if not allow_empty and _complain_of_emptiness(summary):
        raise typer.Exit(1)
    if is_over:
        raise typer.Exit(3)


def _parse_limits(texts: Sequence[str]) -> "LimitsConfig":
    """`NAME=VALUE` as bounds on the input.

    Raises:
        ConfigError: a text is none, a name is unknown or stands twice, or a value is out of range.
    """
    from pydantic import ValidationError

    from schemas.source_config import LimitsConfig

    found = _parse_settings("--limit", texts, tuple(LimitsConfig.model_fields))
    try:
        return LimitsConfig.model_validate(found)
    except ValidationError as error:
        raise _refused("--limit", error, "wanted a whole number; ") from error


def _parse_settings(option: str, texts: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    r"""`NAME=VALUE` as settings by name; `\n` in a value is a line feed.

    Raises:
        ConfigError: a text is none, or a name is unknown or stands twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, _, value = text.partition("=")
        name = name.strip()
        if name not in names:
            raise ConfigError(f"{option}: {text!r} is not NAME=VALUE with a known name; known: {', '.join(names)}")
        if name in found:
            raise ConfigError(f"{option}: {name} is given twice")
        found[name] = value.replace("\\n", "\n")
    return found


def _refused(option: str, error: "ValidationError", wanted: str) -> ConfigError:
    """Sentences on the values that a setting cannot have."""
    problems = []
    for problem in error.errors():
        shown = f"{problem['loc'][0]}={problem['input']}: " if problem["loc"] else ""
        problems.append(f"{option}: {shown}{wanted}{problem['msg'].removeprefix('Value error, ')}")
    return ConfigError(*problems)


def _complain_of_losses(summary: "DedupeSummary", most: float) -> bool:
    """Name the files that lost more than the limit; True if there are any."""
    over = [f"{file.file} ({file.removed_fraction:.1%})" for file in summary.files if file.removed_fraction > most]
    if over:
        words = f"more than --max-removed-fraction {most:g} removed from {first_few(over, MOST_FILES)}"
        Terminal(is_error=True).line(words, style="red")
    return bool(over)


def _complain_of_emptiness(summary: "DedupeSummary") -> bool:
    """Name the files that gave no document; True if there are any."""
    empty = [file for file in (*summary.files, *summary.against_files) if not file.documents]
    for file in empty[:MOST_FILES]:
        words = (
            f"error: {file.file} gave no document ({_why_empty(file)}); correct it or leave it out, or --allow-empty"
        )
        Terminal(is_error=True).line(words, style="red")
    if len(empty) > MOST_FILES:
        Terminal(is_error=True).line(f"and {len(empty) - MOST_FILES:,} more files gave no document", style="red")
    return bool(empty)


def _why_empty(file: "FileReading") -> str:
    reasons = [f"{reason} {count:,}" for reason, count in file.quarantine_reasons.items()]
    filtered = [f"filtered {file.filtered:,}"] if file.filtered else []
    why = file.loss or file.first_fault
    return ", ".join([*reasons, *filtered]) + (f": {why}" if why else "") or "it holds no records"


def _make_out(job: "DedupeJob") -> int:
    """Create the folder of the result, if it may lie there and the input is fit; returns the bytes of all files."""
    from polyculture.deduplication.request import check_request, refuse_nesting

    is_there = job.out.exists()
    _require_empty(job.out)
    try:
        refuse_nesting(job)  # patterns may match the new folder, so it stands before they are looked at
        return check_request(job)
    except ConfigError:
        if not is_there:
            job.out.rmdir()
        raise


def _require_empty(out: Path) -> None:
    from polyculture.deduplication.request import is_fit_for_output
    from polyculture.storage.run_directory import require_local

    require_local(out)
    if not is_fit_for_output(out):
        raise ConfigError(f"--out: {out} is not an empty folder; choose another")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out: cannot create {out}: {error.strerror}; choose another folder") from error


def _show(summary: "DedupeSummary", out: Path) -> None:
    terminal = Terminal()
    grid = Grid("file", "documents", "exact", "near", "kept", "removed", "quarantined")
    for file in _shown(summary):
        counts = (file.documents, file.exact, file.near, file.kept)
        grid.row(file.file, *(f"{n:,}" for n in counts), f"{file.removed_fraction:.1%}", f"{file.quarantined:,}")
    total = (summary.documents, summary.exact, summary.near, summary.kept)
    quarantined = sum(file.quarantined for file in summary.files)
    grid.row("all", *(f"{n:,}" for n in total), f"{summary.removed_fraction:.1%}", f"{quarantined:,}")
    grid.show()
    if len(summary.files) > MOST_FILES:
        terminal.line(
            f"The {MOST_FILES} of {len(summary.files):,} files that lost most documents; dedupe.json lists them all."
        )
    if summary.against_documents:
        terminal.line(
            f"{summary.removed_for_against:,} are among the {summary.against_documents:,} compared with; "
            f"{summary.removed_of_against:,} of those are to go in favour of the input"
        )
    _show_trouble(terminal, summary)
    if summary.largest_clusters:
        terminal.line("Largest clusters:")
    for cluster in summary.largest_clusters[:3]:
        terminal.line(
            f"  {cluster.documents:,} documents like {brief(cluster.kept_id, 200)} "
            f"(similarity {cluster.least_similarity:.2f} or more): {brief(cluster.examples[0], 80)}"
        )
    terminal.line(f"Result: {out}")


def _shown(summary: "DedupeSummary") -> list["FileLosses"]:
    """The files to show, in their order: where there are many, those that lost most."""
    most = sorted(range(len(summary.files)), key=lambda number: -summary.files[number].lost)
    return [summary.files[number] for number in sorted(most[:MOST_FILES])]


def _show_trouble(terminal: Terminal, summary: "DedupeSummary") -> None:
    """Print what was left out, and what went wrong while each file was read, as a run's report says it."""
    for left in summary.left_out:
        terminal.line(left.line, style="dim")
    for left in summary.against_left_out:
        terminal.line(f"--against: {left.line}", style="dim")
    troubled = [(file, lines) for file in (*summary.files, *summary.against_files) if (lines := _trouble(file))]
    for file, lines in troubled[:MOST_FILES]:
        terminal.line(f"{file.file}: {'; '.join(lines)}", style="yellow")
    if len(troubled) > MOST_FILES:
        more = len(troubled) - MOST_FILES
        terminal.line(f"And {more:,} more files with trouble; dedupe.json lists them all.", style="yellow")


def _trouble(file: "FileReading") -> list[str]:
    lost = [_loss(file)] if file.is_tail_lost else []
    changed = ["changed while it was read"] if file.is_changed else []
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in file.quarantine_reasons.items())
    first = f" (the first: {file.first_fault})" if file.first_fault and not file.loss else ""
    gone = [f"quarantined: {reasons}{first}"] if reasons and not _is_unread(file) else []
    return [*lost, *changed, *gone, *file.warnings]


def _loss(file: "FileReading") -> str:
    """The part of a file that was not read, and why."""
    why = f": {file.loss}" if file.loss else ""
    if _is_unread(file):
        return f"is not read{why}"
    is_archive = file.format.partition("+")[0] == "tar"
    what = "part of it cannot be read" if is_archive else "ends in damage: tail lost"
    return f"{what}, {file.lost_bytes:,} bytes unread{why}"


def _is_unread(file: "FileReading") -> bool:
    """True of a file that was refused whole, which is one rejection."""
    return file.format.partition("+")[0] == "unknown" and file.is_tail_lost
