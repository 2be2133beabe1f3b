"""`polyculture dedupe`: remove duplicates from files, without a configuration."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.tables import print_whole
from polyculture.errors import ConfigError
from polyculture.storage.messages import safe_detail
from schemas.survivor import Survivor

if TYPE_CHECKING:
    from schemas.dedupe import DedupeSummary

Inputs = Annotated[list[str], typer.Argument(help="Files or folders with `id` and `text`.", show_default=False)]
Out = Annotated[Path, typer.Option("--out", help="Folder for the result; it must be empty.", show_default=False)]
Threshold = Annotated[float, typer.Option("--threshold", min=0.5, max=1.0, help="Least Jaccard similarity.")]
Text = Annotated[str, typer.Option("--text", help="Column or key of the text; dots reach into objects.")]
Id = Annotated[str, typer.Option("--id", help="Column or key of the id.")]
Limit = Annotated[
    float | None,
    typer.Option(
        "--max-removed-fraction", min=0.0, max=1.0, help="Exit with 3 if a file loses more.", show_default="no limit"
    ),
]
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
    max_removed_fraction: Limit = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Remove exact and near-duplicates over all files together: `kept/` and `removed/` as Parquet.

    Every removed document is verified on its text, and has a kept twin that is named beside it.
    """
    from pydantic import ValidationError

    from cli.display import ProgressDisplay, print_result
    from polyculture.compute.executor import make_executor
    from polyculture.deduplication.search import Workplace
    from polyculture.deduplication.standalone import DedupeJob, dedupe_files
    from schemas.dedupe_config import NearConfig
    from schemas.documents import Kind
    from schemas.source_config import SourceConfig

    source = SourceConfig(name="input", kind=Kind.WEB, paths=tuple(inputs), fields={"id": identity, "text": text})
    try:
        near, others = NearConfig(threshold=threshold), tuple(against or ())
    except ValidationError as error:
        raise ConfigError(f"--threshold: {error.errors()[0]['msg']}") from error
    job = DedupeJob(source, near, out, others, survivor, measure, index, Path.cwd())
    if measure and index is not None:
        raise ConfigError("--index: nothing is kept with --measure; leave one of them out")
    _require_empty(out)
    count = workers or os.cpu_count() or 1
    work = out / ".work"
    try:
        with ProgressDisplay(enabled=not as_json) as display, make_executor(count) as executor:
            workplace = Workplace(work, count, display.update)
            summary = dedupe_files(job, executor, workplace)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print_result(summary, as_json, lambda: _show(summary, out))
    over = [file for file in summary.files if file.removed_fraction > (max_removed_fraction or 0)]
    if max_removed_fraction is not None and over:
        names = ", ".join(f"{file.file} ({file.removed_fraction:.1%})" for file in over)
        Console(stderr=True).print(
            f"more than --max-removed-fraction {max_removed_fraction:g} removed from {safe_detail(names, 1000)}",
            style="red",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(3)


def _require_empty(out: Path) -> None:
    from polyculture.storage.run_directory import require_local

    require_local(out)
    if out.exists() and (not out.is_dir() or any(path.name != ".work" for path in out.iterdir())):
        raise ConfigError(f"--out: {out} is not an empty folder; choose another")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out: cannot create {out}: {error.strerror}; choose another folder") from error


def _show(summary: "DedupeSummary", out: Path) -> None:
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(("file", "documents", "exact", "near", "kept", "removed", "quarantined")):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for file in summary.files:
        counts = (file.documents, file.exact, file.near, file.kept)
        cells = (*(f"{n:,}" for n in counts), f"{file.removed_fraction:.1%}", f"{file.quarantined:,}")
        table.add_row(safe_detail(file.file, 60), *cells)
    total = (summary.documents, summary.exact, summary.near, summary.kept)
    quarantined = sum(file.quarantined for file in summary.files)
    table.add_row("all", *(f"{n:,}" for n in total), f"{summary.removed_fraction:.1%}", f"{quarantined:,}")
    print_whole(table)
    if summary.against_documents:
        console.print(
            f"{summary.removed_for_against:,} are among the {summary.against_documents:,} compared with; "
            f"{summary.removed_of_against:,} of those are to go in favour of the input"
        )
    for file in summary.files:
        if file.is_tail_lost:
            console.print(f"{safe_detail(file.file, 200)} ends in damage: see quarantined/", style="yellow")
    if summary.largest_clusters:
        console.print("Largest clusters:")
    for cluster in summary.largest_clusters[:3]:
        console.print(
            f"  {cluster.documents:,} documents like {safe_detail(cluster.kept_id, 60)} "
            f"(similarity {cluster.least_similarity:.2f} or more): {safe_detail(cluster.examples[0], 80)}",
            markup=False,
            soft_wrap=True,
        )
    console.print(f"Result: {out}", markup=False, soft_wrap=True)
