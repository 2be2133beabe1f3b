"""The lasting index of deduplication: `index.json`, and the files of its parts."""

from typing import Literal

import pyarrow as pa
from pydantic import Field

from schemas.strict import Strict

BANDS_SCHEMA = pa.schema(
    [
        pa.field("key", pa.uint64(), nullable=False),  # of one band, ascending; the last band is the canonical text's
        pa.field("document", pa.uint32(), nullable=False),  # row in the part's documents
    ]
)


def documents_schema(print_bytes: int) -> pa.Schema:
    """A part's documents."""
    fields = [
        ("id", pa.string()),
        ("file", pa.string()),
        ("position", pa.int64()),  # record slot in the file
        ("text", pa.large_string()),  # as read, or canonical
        ("is_canonical", pa.bool_()),
        ("has_words", pa.bool_()),
        ("characters", pa.uint32()),  # of the canonical text
        ("layout", pa.uint64()),  # hash of case and indentation where they count, else 0
        ("key_left", pa.uint64()),  # 128-bit hash of the canonical text and the layout
        ("key_right", pa.uint64()),
        ("print", pa.binary(print_bytes)),  # low four bits of every signature value
    ]
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in fields])


class IndexScheme(Strict):
    """The scheme by which band keys are made: only indexes of one scheme can be compared.

    Attributes:
        signatures: datasketch's name of the permutations.
        folding: number of the rules of canonical text, layout, words, look-alikes and shingle hashes.
        seed: datasketch's seed.
    """

    signatures: Literal["affine32"] = "affine32"
    folding: int
    seed: int
    bands: int
    rows: int
    shingle_words: int


class PartFile(Strict):
    """A file of a part."""

    bytes: int = Field(ge=0)
    sha256: str


class IndexPart(Strict):
    """The documents of one run.

    Attributes:
        name: folder, named by its content: the same part in two indexes is one part.
    """

    name: str = Field(pattern=r"^part-[0-9a-f]{16}$")
    documents: int = Field(ge=0)
    files: dict[Literal["documents.arrow", "bands.arrow"], PartFile]


class IndexManifest(Strict):
    """`index.json`."""

    format: Literal[1] = 1
    scheme: IndexScheme
    parts: tuple[IndexPart, ...] = Field(min_length=1)
