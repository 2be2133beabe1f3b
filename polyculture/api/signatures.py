"""MinHash signatures for datasketch: the ones that deduplication proposes pairs by, for indexes of your own."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.api.records import Columns, as_frame, documents
from polyculture.compute.machine import usable_cpus
from polyculture.deduplication.sketch import sketch
from polyculture.deduplication.standalone import SEED
from polyculture.errors import ConfigError
from polyculture.text.minhash import to_datasketch
from polyculture.text.shingles import shingle_sets
from polyculture.text.texts import Texts, as_texts

if TYPE_CHECKING:
    from datasketch import LeanMinHash

NUM_PERM = 128


@dataclass(frozen=True, slots=True, repr=False)
class Signatures:
    """MinHash signatures of n texts (Broder 1997), bit for bit those of datasketch's scheme `affine32`.

    Attributes:
        hashvalues: (n, num_perm), in the order of the texts; the largest value everywhere for a text without words.
        seed: of the permutations; only signatures of one seed can be compared.
    """

    hashvalues: NDArray[np.uint32]
    seed: int

    def __len__(self) -> int:
        return len(self.hashvalues)

    @property
    def num_perm(self) -> int:
        """Hash values of a signature."""
        return int(self.hashvalues.shape[1])

    def to_datasketch(self) -> "list[LeanMinHash]":
        """The signatures as datasketch's `LeanMinHash`, which its indexes store and are queried with.

        Returns:
            One object per text, in their order: a `MinHash` without `update`. Some microseconds each.
        """
        return to_datasketch(self.hashvalues, self.seed)

    def __repr__(self) -> str:
        return f"Signatures of {len(self):,} texts, num_perm={self.num_perm}, seed={self.seed}"


def signatures(records: object, *, num_perm: int = NUM_PERM, seed: int = SEED, text_column: str = "text") -> Signatures:
    """Sign the 5-word shingles of texts, as deduplication does.

    Args:
        records: a polars, pandas or pyarrow table, or a list of texts.
        num_perm: hash values of a signature, at least 1; that of the index they are for.
        seed: of the permutations, in [0, 2**32); 1 is datasketch's own default, too.
        text_column: column of the text.

    Returns:
        The signatures, in the order of the texts. About 10 microseconds per 1.4 KB of text and core.

    Raises:
        ConfigError: an argument is none of the above, or a text is missing.
    """
    if not 1 <= num_perm <= 65_536:
        raise ConfigError(f"num_perm: wanted 1 to 65536 hash values; got {num_perm!r}")
    if not 0 <= seed < 2**32:
        raise ConfigError(f"seed: wanted a number in [0, 2**32); got {seed!r}")
    found = sketch(_read(records, text_column), num_perm, seed, usable_cpus())
    return Signatures(found.signatures, seed)


def shingle_hashes(records: object, *, text_column: str = "text") -> list[NDArray[np.uint32]]:
    """Hash the 5-word shingles of texts to what a datasketch `MinHash` with `hashfunc=int` is updated with.

    Args:
        records: a polars, pandas or pyarrow table, or a list of texts.
        text_column: column of the text.

    Returns:
        For each text the 32-bit hashes of its shingles, each different shingle once; empty for a text without words.
        About 10 microseconds per 1.4 KB of text.

    Raises:
        ConfigError: the records are none of the above, or a text is missing.
    """
    sets = shingle_sets(_read(records, text_column))
    low = (sets.hashes & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    ends = sets.offsets.tolist()
    return [low[start:end] for start, end in pairwise(ends)]


def _read(records: object, text_column: str) -> Texts:
    columns = Columns(text_column)
    texts = documents(as_frame(records, columns), columns)["text"]
    if texts.null_count():
        row = int(texts.is_null().arg_max() or 0)
        raise ConfigError(f"row {row} has no text; leave out the rows without one, such as by `drop_nulls`")
    return as_texts(texts.to_arrow().cast(pa.large_string()))
