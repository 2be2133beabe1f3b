"""An index that lasts: what earlier runs kept, as Arrow files that later runs query without reading the texts.

A part is what one run kept. Band keys are sorted, so a query touches the pages that its own keys lead to.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from filelock import FileLock
from numpy.typing import NDArray
from pydantic import ValidationError

from polyculture.deduplication.buckets import Buckets
from polyculture.deduplication.engine import KnownDocuments, Sketched, join_sketched
from polyculture.deduplication.request import INDEX_MANIFEST as MANIFEST
from polyculture.errors import ConfigError
from polyculture.storage.commit import TEMPORARY_PREFIX, sync
from polyculture.storage.files import file_digest, map_arrow_file, write_text
from polyculture.text.texts import Texts, map_texts
from polyculture.text.words import SHINGLE_WORDS
from schemas.dedupe_config import NearConfig
from schemas.dedupe_index import BANDS_SCHEMA, IndexManifest, IndexPart, IndexScheme, PartFile, documents_schema

FOLDING = 4  # to be raised when canonical text, layout, words, look-alikes or shingle hashes change
_BATCH_DOCUMENTS = 8192


def index_scheme(near: NearConfig, seed: int) -> IndexScheme:
    """The scheme that a configuration makes."""
    return IndexScheme(folding=FOLDING, seed=seed, bands=near.bands, rows=near.rows, shingle_words=SHINGLE_WORDS)


def write_part(  # noqa: PLR0913, PLR0917 -- what a part is made of, and the note
    index: Path,
    scheme: IndexScheme,
    sketched: Sketched,
    identity: pa.Table,
    is_kept: NDArray[np.bool_],
    mark: Path | None = None,
) -> IndexPart:
    """Add the kept documents of a run to an index; an index that is not there is begun.

    Args:
        index: its folder.
        scheme: the scheme that `sketched` was made with.
        sketched: n documents, whose band keys are still there.
        identity: id, file, position and text of each, large enough to be mapped.
        is_kept: (n,) whether each document is kept.
        mark: gets a note of what is added before it is, by which `take_back` undoes it if the run does not end: begun
            again, it would find its own documents there.

    Raises:
        ConfigError: the index has another scheme.
    """
    index.mkdir(parents=True, exist_ok=True)
    with FileLock(index / ".lock"):
        parts = read_manifest(index, scheme).parts if (index / MANIFEST).exists() else ()
        temporary = index / f"{TEMPORARY_PREFIX}part"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        _write_documents(temporary / "documents.arrow", sketched, identity, is_kept)
        _write_bands(temporary / "bands.arrow", Buckets(sketched.paths), scheme.bands, sketched.keys, is_kept)
        part = _adopt(index, temporary, int(is_kept.sum()))
        if mark is not None and part.name not in {known.name for known in parts}:
            write_text(mark, json.dumps([str(index.absolute()), part.name]))
        _write_manifest(index, scheme, [*parts, part])
    return part


def take_back(mark: Path) -> None:
    """Take the part that a run added out of its index again; an index without parts is none. Call it once or twice.

    Args:
        mark: the note of the run.

    Raises:
        ConfigError: the index is damaged.
    """
    folder, name = json.loads(mark.read_text(encoding="utf-8"))
    index = Path(folder)
    with FileLock(index / ".lock"):
        if (index / MANIFEST).exists():
            manifest = read_manifest(index)
            left = [part for part in manifest.parts if part.name != name]
            if left:
                _write_manifest(index, manifest.scheme, left)
            else:
                (index / MANIFEST).unlink()
        shutil.rmtree(index / name, ignore_errors=True)


def _adopt(index: Path, temporary: Path, documents: int) -> IndexPart:
    """Give a written part its name, and its place."""
    files = {}
    for name in ("documents.arrow", "bands.arrow"):
        sync(temporary / name)
        digest = file_digest(temporary / name, temporary)
        files[name] = PartFile(bytes=digest.bytes, sha256=digest.sha256)
    part = IndexPart.model_validate(
        {"name": f"part-{files['documents.arrow'].sha256[:16]}", "documents": documents, "files": files}
    )
    if (index / part.name).exists():
        shutil.rmtree(temporary)
    else:
        sync(temporary)
        temporary.rename(index / part.name)
        sync(index)
    return part


def _write_manifest(index: Path, scheme: IndexScheme, parts: Sequence[IndexPart]) -> None:
    unique = {part.name: part for part in parts}
    manifest = IndexManifest(scheme=scheme, parts=tuple(unique[name] for name in sorted(unique)))
    write_text(index / MANIFEST, manifest.model_dump_json(indent=1))


def _write_documents(path: Path, sketched: Sketched, identity: pa.Table, is_kept: NDArray[np.bool_]) -> None:
    print_bytes = 8 * sketched.prints.shape[1]
    schema = documents_schema(print_bytes)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for start in range(0, len(sketched), _BATCH_DOCUMENTS):
            mine = np.flatnonzero(is_kept[start : start + _BATCH_DOCUMENTS]) + start
            names = identity.slice(start, _BATCH_DOCUMENTS).take(pa.array(mine - start)).combine_chunks()
            texts = names["text"].cast(pa.large_string())
            is_canonical = sketched.texts.is_canonical[mine]
            if is_canonical.any():  # those that the compiled fold leaves alone
                values = texts.to_pylist()
                for at in np.flatnonzero(is_canonical).tolist():
                    values[at] = sketched.texts.decode(mine[at])
                texts = pa.array(values, pa.large_string())
            keys = sketched.keys[mine]
            prints = pa.py_buffer(np.ascontiguousarray(sketched.prints[mine]))
            columns = [
                *(names[name] for name in ("id", "file", "position")),
                texts,
                is_canonical,
                sketched.has_words[mine],
                sketched.characters[mine],
                sketched.layout[mine],
                np.ascontiguousarray(keys[:, 0]),
                np.ascontiguousarray(keys[:, 1]),
                pa.Array.from_buffers(pa.binary(print_bytes), len(mine), [None, prints]),
            ]
            writer.write_table(pa.table(columns, schema=schema))


def _write_bands(
    path: Path, buckets: Buckets, bands: int, keys: NDArray[np.uint64], is_kept: NDArray[np.bool_]
) -> None:
    row = np.cumsum(is_kept) - 1
    ranges = len(buckets) // bands
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, BANDS_SCHEMA) as writer:

        def write(pieces: list[tuple[NDArray[np.uint64], NDArray[np.uint32]]]) -> None:
            arrays = [pa.array(np.concatenate([piece[i] for piece in pieces])) for i in (0, 1)]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=BANDS_SCHEMA))

        for band in range(bands):
            pieces = [(np.empty(0, np.uint64), np.empty(0, np.uint32))]
            for number in range(band * ranges, (band + 1) * ranges):  # ascending, as ranges are the keys' highest bits
                found, documents = buckets.read(number)
                found, documents = found[is_kept[documents]], documents[is_kept[documents]]
                order = np.lexsort((documents, found))
                pieces.append((found[order], row[documents[order]].astype(np.uint32)))
            write(pieces)
        mine = keys[is_kept, 0]
        order = np.argsort(mine, kind="stable")
        write([(mine[order], order.astype(np.uint32))])


def read_manifest(index: Path, scheme: IndexScheme | None = None) -> IndexManifest:
    """Read the manifest of an index.

    Raises:
        ConfigError: it is no index, it is damaged, or it has another scheme than the one asked for.
    """
    try:
        manifest = IndexManifest.model_validate_json((index / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise ConfigError(f"{index} is not an index: it has no {MANIFEST}") from error
    except ValidationError as error:
        raise ConfigError(f"{index / MANIFEST} cannot be read: {error.errors()[0]['msg']}") from error
    if scheme is not None and manifest.scheme != scheme:
        mine, other = scheme.model_dump(), manifest.scheme.model_dump()
        differ = ", ".join(f"{name} {other[name]} (wanted {mine[name]})" for name in mine if mine[name] != other[name])
        raise ConfigError(f"{index} has another scheme: {differ}; its signatures cannot be compared, build it again")
    for part in manifest.parts:
        for name, file in part.files.items():
            path = index / part.name / name
            if not path.is_file() or path.stat().st_size != file.bytes:
                raise ConfigError(f"{path} is missing or has another size than {MANIFEST} says; build the index again")
    return manifest


def merge_indexes(indexes: Sequence[Path], out: Path) -> IndexManifest:
    """Put the parts of several indexes into one. Every file is read once, and its digest checked.

    Args:
        indexes: index folders of one scheme. A part that several have is taken once.
        out: a folder, which may be an index of the same scheme already.

    Raises:
        ConfigError: the schemes differ, or a file is not what its index says.
    """
    scheme = read_manifest(indexes[0]).scheme
    out.mkdir(parents=True, exist_ok=True)
    with FileLock(out / ".lock"):
        parts = list(read_manifest(out, scheme).parts) if (out / MANIFEST).exists() else []
        for index in indexes:
            for part in read_manifest(index, scheme).parts:
                temporary = out / f"{TEMPORARY_PREFIX}part"
                shutil.rmtree(temporary, ignore_errors=True)
                shutil.copytree(index / part.name, temporary)
                if _adopt(out, temporary, part.documents) != part:
                    raise ConfigError(f"{index / part.name} is damaged: its digests are not those of {MANIFEST}")
                parts.append(part)
        _write_manifest(out, scheme, parts)
    return read_manifest(out, scheme)


class MappedPart:
    """One part of an index, mapped."""

    def __init__(self, folder: Path) -> None:
        """Map its files; nothing is read."""
        self.documents = map_arrow_file(folder / "documents.arrow")
        self._texts = map_texts([folder / "documents.arrow"])
        self._bands = pa.ipc.open_file(pa.memory_map(str(folder / "bands.arrow")))

    def __len__(self) -> int:
        return int(self.documents.num_rows)

    def lookup(self, band: int, keys: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
        """The entries of a band that have one of the keys: every entry once.

        Args:
            band: number; the one after the last is that of canonical texts.
            keys: unique, ascending.
        """
        batch = self._bands.get_batch(band)
        mine, documents = batch["key"].to_numpy(), batch["document"].to_numpy()
        left = np.searchsorted(mine, keys)
        is_found = left < len(mine)
        is_found[is_found] = mine[left[is_found]] == keys[is_found]
        left, keys = left[is_found], keys[is_found]
        sizes = np.searchsorted(mine, keys, side="right") - left
        ends = np.cumsum(sizes)
        at = np.arange(ends[-1] if len(ends) else 0) + np.repeat(left - ends + sizes, sizes)
        return np.repeat(keys, sizes), documents[at]

    def take(self, rows: NDArray[np.int64]) -> Sketched:
        """Sketches of some documents; their texts stay where they are."""
        few = self.documents.drop_columns(["text"]).take(pa.array(rows)).combine_chunks()
        prints = few["print"].combine_chunks()
        words = prints.type.byte_width // 8
        flat = np.frombuffer(prints.buffers()[1] or b"", np.uint64, len(prints) * words, 8 * words * prints.offset)
        texts = self._texts[rows]
        is_canonical = few["is_canonical"].to_numpy()
        return Sketched(
            Texts(texts.address, texts.size, is_canonical, texts.owner, texts.maps),
            np.stack([few["key_left"].to_numpy(), few["key_right"].to_numpy()], axis=1),
            few["layout"].to_numpy(),
            few["characters"].to_numpy(),
            few["has_words"].to_numpy(),
            flat.reshape(len(prints), words),
            (),
        )


def find_settled(indexes: Sequence[Path], scheme: IndexScheme, sketched: Sketched) -> KnownDocuments:
    """Look the keys of new documents up.

    Args:
        indexes: their folders.
        scheme: the scheme that the new documents were sketched with.
        sketched: n new documents, whose band keys are still there.

    Returns:
        Documents with a key in common. O(n log m) for indexes of m documents, and memory for those that are found only.

    Raises:
        ConfigError: an index has another scheme, or is damaged.
    """
    folders = {p.name: index / p.name for index in indexes for p in read_manifest(index, scheme).parts}
    parts = [MappedPart(folders[name]) for name in sorted(folders)]
    starts = np.cumsum([0, *(len(part) for part in parts)])
    found = list(_look_up(parts, starts, scheme.bands, sketched))
    numbers = np.unique(np.concatenate([documents for _, documents in found])) if found else np.empty(0, np.int64)
    pieces, names = [], []
    for number, part in enumerate(parts):
        rows = numbers[(numbers >= starts[number]) & (numbers < starts[number + 1])] - starts[number]
        pieces.append(part.take(rows))
        names.append(part.documents.select(["id", "file", "position"]).take(pa.array(rows)))
    identity = pa.concat_tables(names) if names else pa.table({"id": [], "file": [], "position": []})
    buckets = [(keys, np.searchsorted(numbers, documents).astype(np.uint32)) for keys, documents in found[:-1]]
    return KnownDocuments(join_sketched(pieces), identity, buckets, int(starts[-1]))


def _look_up(
    parts: Sequence[MappedPart], starts: NDArray[np.int64], bands: int, sketched: Sketched
) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
    """The indexes' entries of every bucket, then those of the canonical texts."""
    buckets = Buckets(sketched.paths)
    ranges = max(1, len(buckets) // bands)
    wanted = ((number // ranges, np.unique(buckets.read(number)[0])) for number in range(len(buckets)))
    for band, keys in (*wanted, (bands, np.unique(sketched.keys[:, 0]))):
        entries = [part.lookup(band, keys) for part in parts]
        yield (
            np.concatenate([np.empty(0, np.uint64), *(entry[0] for entry in entries)]),
            np.concatenate(
                [np.empty(0, np.int64), *(e[1] + s for e, s in zip(entries, starts[:-1], strict=True))], dtype=np.int64
            ),
        )
