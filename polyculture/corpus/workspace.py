"""The intermediate files of a run: where each step leaves its result for the next one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel

from polyculture.corpus.corpus import Corpus, source_order
from polyculture.corpus.filtered import Filtering
from polyculture.corpus.ingest import Partition, partition_files
from polyculture.filters.registry import ActiveFilter
from polyculture.shards.write import Origin
from polyculture.sources.record import InputFile
from polyculture.storage.files import (
    map_arrow_file,
    parquet_rows_to,
    read_parquet_parts,
    write_arrow_file,
    write_bytes,
    write_text,
)
from polyculture.storage.run_directory import RunDirectory
from polyculture.text.shingles import ShingleSets
from schemas.config import CurationConfig
from schemas.filtered import FILTERED_SCHEMA
from schemas.quarantined import QUARANTINED_SCHEMA

Account = TypeVar("Account", bound=BaseModel)


@dataclass(frozen=True)
class Workspace:
    """Files below `state/work`, by what they hold. They go when the run is whole.

    Attributes:
        directory: the run directory.
        config: the configuration: its sources name the partitions.
        inputs: files of each source, by source name.
    """

    directory: RunDirectory
    config: CurationConfig
    inputs: Mapping[str, Sequence[InputFile]]

    @property
    def folder(self) -> Path:
        """Folder of all of them."""
        return self.directory.work

    # Documents

    def partitions_of(self, source: str) -> list[Partition]:
        """The partitions of one source."""
        config = next(found for found in self.config.sources if found.name == source)
        return partition_files(config, self.inputs[source])

    @property
    def partitions(self) -> list[tuple[int, Partition]]:
        """Every partition with its source's number, in index order."""
        names, _ = source_order(self.config)
        return [(number, partition) for number, name in enumerate(names) for partition in self.partitions_of(name)]

    @property
    def documents(self) -> Path:
        """Folder of the partitions."""
        return self.folder / "documents"

    @property
    def document_paths(self) -> tuple[Path, ...]:
        """Documents of every partition, in index order."""
        return tuple(self.documents_path(partition) for _, partition in self.partitions)

    def documents_path(self, partition: Partition) -> Path:
        """Documents of one partition."""
        return self.documents / f"{partition.name}.arrow"

    def read_quarantined(self, partition: Partition) -> Iterator[pa.Table]:
        """Records set aside in one partition, row group by row group."""
        for table in read_parquet_parts(self.documents / f"{partition.name}.quarantined.parquet"):
            yield table.cast(QUARANTINED_SCHEMA)

    def attributes_path(self, signal: str, partition: Partition) -> Path:
        """File of the values that one signal has for the documents of a partition, row by row."""
        return self.folder / "attributes" / signal / f"{partition.name}.arrow"

    # The corpus

    @property
    def index_path(self) -> Path:
        """Index of the documents."""
        return self.folder / "index.arrow"

    def write_index(self, index: pa.Table) -> None:
        """Write the index, in one piece, so that worker processes only map it."""
        write_arrow_file(self.index_path, index.combine_chunks())

    def open_corpus(self, index: Path | None = None) -> Corpus:
        """The documents of a run whose index is written; `index` names another one over the same partitions."""
        names, kinds = source_order(self.config)
        return Corpus(map_arrow_file(index or self.index_path), self.document_paths, names, kinds)

    def filtered_path(self, source: str) -> Path:
        """Documents of a source that filters took out."""
        return self.directory.filtered / f"{source}.parquet"

    def filtering(self, filters: Sequence[ActiveFilter]) -> Filtering:
        """Filters, and where what they take out is written."""
        names, _ = source_order(self.config)
        return Filtering(filters, lambda number: parquet_rows_to(self.filtered_path(names[number]), FILTERED_SCHEMA))

    @property
    def shingle_paths(self) -> tuple[Path, Path]:
        """Hashes and offsets of the shingle sets of the groups of equal texts."""
        return self.folder / "shingles" / "hashes.u64", self.folder / "shingles" / "offsets.i64"

    def open_shingles(self) -> ShingleSets:
        """The shingle sets, memory-mapped."""
        hashes, offsets_path = self.shingle_paths
        offsets = np.fromfile(offsets_path, np.int64)
        if offsets[-1] == 0:
            return ShingleSets(np.empty(0, np.uint64), offsets)
        # copy-on-write: a read-only array would have every kernel compiled a second time
        return ShingleSets(np.asarray(np.memmap(hashes, np.uint64, "c")), offsets)

    # What becomes of the documents

    @property
    def removal_path(self) -> Path:
        """File of the decisions of deduplication, one row a document."""
        return self.folder / "removal.arrow"

    @property
    def held_out_path(self) -> Path:
        """One byte a document: whether it is trained on, held out, or the twin of one that is."""
        return self.folder / "held_out.i8"

    def write_copies(self, copies: NDArray[np.int64]) -> None:
        """Write how often each document goes into the shards."""
        write_bytes(self.folder / "copies.i64", copies.astype(np.int64).tobytes())

    def open_copies(self) -> NDArray[np.int64]:
        """(documents,) how often each goes into the shards."""
        return np.fromfile(self.folder / "copies.i64", np.int64)

    def write_order(self, stem: str, order: NDArray[np.int64]) -> Origin:
        """Write the order of a group of shards; returns what its shards are made from."""
        path = self.folder / f"order-{stem}.i64"
        write_bytes(path, np.ascontiguousarray(order, np.int64).data)
        names, _ = source_order(self.config)
        return Origin(self.index_path, self.document_paths, names, path)

    # Accounts: what a step has to say, in numbers

    @property
    def accounts(self) -> Path:
        """Folder of the accounts."""
        return self.folder / "accounts"

    def write_account(self, account: BaseModel) -> None:
        """Write what a step has to say, under the name of its model."""
        write_text(self._account_path(type(account)), account.model_dump_json())

    def open_account(self, model: type[Account]) -> Account:
        """The account of a step.

        Raises:
            OSError: the step wrote none.
        """
        return model.model_validate_json(self._account_path(model).read_bytes())

    def _account_path(self, model: type[BaseModel]) -> Path:
        return self.accounts / f"{model.__name__}.json"
