"""Output of `polyculture dedupe`: the rows of `kept/` and `removed/`, and the summary."""

import pyarrow as pa

from schemas.accounts import LeftOut
from schemas.strict import Strict

KEPT_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # the record's own, else `<file digest>:<position>`
        pa.field("text", pa.large_string(), nullable=False),  # as read
        pa.field("file", pa.string(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),  # record slot in the file
    ]
)
REMOVED_FILE_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("file", pa.string(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),  # exact or near
        pa.field("kept_id", pa.string(), nullable=False),  # the representative, which stayed
        pa.field("kept_file", pa.string(), nullable=False),
        pa.field("kept_position", pa.int64(), nullable=False),
        pa.field("kept_in", pa.string(), nullable=False),  # input, or against: what the input was compared with
        pa.field("similarity", pa.float64(), nullable=False),  # Jaccard of 5-word shingles, 0..1
    ]
)


class FileReading(Strict):
    """The outcome of reading one file.

    Attributes:
        quarantined: record slots that could not be read or hold no text; `quarantine_reasons` counts them by reason.
        filtered: record slots that are no text documents by their own declaration.
        warnings: oddities that cost no record.
        is_tail_lost: whether the file ends in damage, or a member of it; `lost_bytes` of it were not read.
        is_changed: whether the file changed while it was read.
        format: format and compression, as `jsonl+gzip`; `unknown` of what was refused.
        loss: reason for the first loss.
        first_fault: detail of the first record slot that was quarantined.
        left_out: side files in an archive.
    """

    file: str
    sha256: str
    documents: int
    quarantined: int
    filtered: int
    is_tail_lost: bool
    quarantine_reasons: dict[str, int]
    warnings: tuple[str, ...]
    lost_bytes: int
    is_changed: bool
    format: str = ""
    loss: str = ""
    first_fault: str = ""
    left_out: tuple[LeftOut, ...] = ()


class FileLosses(FileReading):
    """The outcome for one file's record slots.

    Attributes:
        part: name of the file in `kept/`, `removed/` and `quarantined/` that its records went to, which small files
            share.
        removed_fraction: removed share of its documents.
    """

    part: str
    exact: int
    near: int
    kept: int
    removed_fraction: float

    @property
    def lost(self) -> int:
        """Documents that were removed, and record slots that were set aside."""
        return self.exact + self.near + self.quarantined


class Cluster(Strict):
    """A kept document and those removed in its favour.

    Attributes:
        documents: members, the kept one included.
        least_similarity: least similarity of a member to the kept one.
        examples: extracts of the kept text and of its farthest member, around their first difference.
    """

    kept_id: str
    documents: int
    least_similarity: float
    examples: tuple[str, str]


class DedupeSummary(Strict):
    """`dedupe.json`.

    Attributes:
        is_measured_only: whether nothing was removed; the counts say what would be.
        against_documents: number of documents that the input was compared with.
        against_files: files of them that were read for it; those of an index were read when it was made.
        removed_for_against: documents of the input whose twin stays there.
        removed_of_against: documents of there whose twin stays in the input.
        cluster_sizes: number of clusters of each size, by size.
        proposed: pairs that share a band; `compared` of them on their texts.
        rounds: number of times that documents were linked.
        left_out, against_left_out: side files beside the input and beside what it was compared with, those in archives
            among them; they are not read.
    """

    threshold: float
    bands: int
    rows: int
    is_measured_only: bool
    documents: int
    kept: int
    exact: int
    near: int
    removed_fraction: float
    against_documents: int
    removed_for_against: int
    removed_of_against: int
    files: tuple[FileLosses, ...]
    against_files: tuple[FileReading, ...]
    cluster_sizes: dict[int, int]
    largest_clusters: tuple[Cluster, ...]
    proposed: int
    compared: int
    rounds: int
    left_out: tuple[LeftOut, ...] = ()
    against_left_out: tuple[LeftOut, ...] = ()
