"""`polyculture.dedupe`: the engine of the command, over tables, texts and files."""

import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from polyculture.api.display import Panel, as_html, as_text
from polyculture.api.records import Columns, as_frame, as_paths, spill
from polyculture.compute.in_process import InProcess
from polyculture.compute.machine import usable_cpus
from polyculture.deduplication.request import READ_SETTINGS, DedupeJob
from polyculture.deduplication.search import Workplace
from polyculture.deduplication.standalone import dedupe_files
from polyculture.errors import ConfigError
from schemas.dedupe import DedupeSummary
from schemas.dedupe_config import NearConfig
from schemas.documents import Kind
from schemas.source_config import SourceConfig

RECORDS = "records.jsonl"
AGAINST = "against.jsonl"


class Deduplicated:
    """Result of `dedupe`: records that stay, and records that leave. They lie in a temporary folder while it lives.

    Attributes:
        summary: counts, sizes of clusters, and examples of the largest, as `dedupe.json` holds them.
    """

    def __init__(self, summary: DedupeSummary, folder: Path, frame: pl.DataFrame | None) -> None:
        """Take over a folder whose `out` was written by `dedupe_files`.

        Args:
            summary: of what was written.
            folder: deleted with this object.
            frame: the input, if it was a table or a list.
        """
        self.summary, self._out, self._frame = summary, folder / "out", frame
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    @cached_property
    def is_kept(self) -> pl.Series:
        """A boolean for each row of a table or list: whether it stays. Quarantined rows do not.

        Raises:
            ConfigError: the input was files, which have no common rows.
        """
        if self._frame is None:
            raise ConfigError("is_kept: wanted a table or a list as input, got files; see `kept`, by file and position")
        rows = self._read("kept", ["position"])["position"]
        return pl.int_range(self._frame.height, eager=True).is_in(rows.implode()).alias("is_kept")

    @cached_property
    def kept(self) -> pl.DataFrame:
        """Records that stay: rows of a table or list as they came, in order; of files id, text, file and position."""
        return self._read("kept") if self._frame is None else self._frame.filter(self.is_kept)

    @cached_property
    def removed(self) -> pl.DataFrame:
        """Records that leave, each with its kept twin.

        Of a table or list: row (from 0), id, reason (`exact` or `near`), kept_row and kept_id (who stays; kept_row is
        null for one of `against`), similarity (0..1). Of files: also file, position, kept_file, kept_position, kept_in.
        An id is the record's own; a table without any has its row numbers.
        """
        found = self._read("removed")
        if self._frame is None:
            return found
        kept_row = pl.when(pl.col("kept_in") == "input").then("kept_position").alias("kept_row")
        row = pl.col("position").alias("row")
        return found.sort("position").select(row, "id", "reason", kept_row, "kept_id", "similarity")

    @cached_property
    def quarantined(self) -> pl.DataFrame:
        """Records that could not be read or hold no text, each with its reason; `byte_offset` is where it starts."""
        return self._read("quarantined")

    def _read(self, part: str, columns: list[str] | None = None) -> pl.DataFrame:
        return pl.read_parquet(sorted((self._out / part).glob("*.parquet")), columns=columns, glob=False)

    def __repr__(self) -> str:
        return as_text(self._panel())

    def _repr_html_(self) -> str:
        return as_html(self._panel())

    def _panel(self) -> Panel:
        rows = [["file", "documents", "exact", "near", "kept", "removed", "quarantined"]]
        for file in self.summary.files:
            counts = [f"{count:,}" for count in (file.documents, file.exact, file.near, file.kept)]
            name = "records" if self._frame is not None else file.file
            rows.append([name, *counts, f"{file.removed_fraction:.1%}", f"{file.quarantined:,}"])
        notes = [left.line for left in (*self.summary.left_out, *self.summary.against_left_out)]
        notes += [
            f"{cluster.documents:,} documents like {cluster.kept_id}: {' '.join(cluster.examples[0].split())}"
            for cluster in self.summary.largest_clusters[:3]
        ]
        kept, of = f"{self.summary.kept:,}", f"{self.summary.documents:,}"
        return Panel(f"Kept {kept} of {of} documents at threshold {self.summary.threshold:g}", rows, notes)


def dedupe(  # noqa: PLR0913 -- one argument an option, by name
    records: object,
    *,
    threshold: float = 0.8,
    text_column: str = "text",
    id_column: str | None = None,
    against: object = None,
    reading: Mapping[str, str] | None = None,
) -> Deduplicated:
    """Remove exact and near-duplicates over all records together, as `polyculture dedupe` does.

    Near-duplicates have a Jaccard similarity of 5-word shingles of at least the threshold, verified on the texts. Of
    two, the longer stays, then the one with the smaller id.

    Args:
        records: a polars, pandas or pyarrow table, a list of texts, or paths: a string, a Path or a list of Paths to
            files or folders of any format that a run reads.
        threshold: least similarity of near-duplicates, 0.5 to 1, at most 6 decimals.
        text_column: column or key of the text.
        id_column: column or key of the id; `id` if there is one.
        against: other records, of which all stay, to compare with: the same kinds, or a folder made by
            `polyculture dedupe --index`.
        reading: how files are read, by the settings of a source: `text_records`, `chat_template`, `cut_pages`.

    Returns:
        What is kept and what is removed. `kept` and `removed` follow the rows of a table or a list, and `is_kept` has
        one boolean for each; records from files carry their file and position. About 60 microseconds per 1.4 KB of
        text and core.

    Raises:
        ConfigError: an argument is none of the above, or a file is not there.
        PolycultureError: a file or index is damaged.
    """
    if not isinstance(threshold, int | float) or not 0.5 <= threshold <= 1 or round(threshold, 6) != threshold:
        raise ConfigError(f"threshold: wanted a number from 0.5 to 1 with at most 6 decimals; got {threshold!r}")
    columns = Columns(text_column, id_column)
    root = Path(tempfile.mkdtemp(prefix="polyculture-dedupe-"))
    try:
        paths = as_paths(records)
        frame = as_frame(records, columns) if paths is None else None
        inputs = [spill(frame, columns, root / RECORDS)] if frame is not None else paths or []
        source = _source(inputs, columns, reading or {})
        folder = root if frame is not None else Path.cwd()
        job = DedupeJob(
            source, NearConfig(threshold=threshold), root / "out", _others(against, columns, root), folder=folder
        )
        summary = dedupe_files(job, InProcess(), Workplace(root / "work", usable_cpus()))
        for name in (RECORDS, AGAINST):
            (root / name).unlink(missing_ok=True)
        shutil.rmtree(root / "work")
        return Deduplicated(summary, root, frame)
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise


def _source(inputs: Sequence[str], columns: Columns, reading: Mapping[str, str]) -> SourceConfig:
    given = {"name": "input", "kind": Kind.WEB, "paths": tuple(inputs), "fields": columns.fields}
    unknown = [name for name in reading if name not in READ_SETTINGS]
    if unknown:
        raise ConfigError(f"reading: unknown setting {unknown[0]!r}; known: {', '.join(READ_SETTINGS)}")
    try:
        return SourceConfig.model_validate({**given, **reading})
    except ValidationError as error:
        raise ConfigError(*(f"reading: {problem['msg']}" for problem in error.errors())) from error


def _others(against: object, columns: Columns, root: Path) -> tuple[str, ...]:
    if against is None:
        return ()
    paths = as_paths(against)
    return tuple(paths) if paths is not None else (spill(as_frame(against, columns), columns, root / AGAINST),)
