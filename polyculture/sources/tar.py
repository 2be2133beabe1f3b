"""Tar archives, plain or compressed as a whole: each member is read as a file of its own would be.

Nothing is written to disk, and a member's name is only text. The archive is passed over twice: first for its names, by
which side files are told, then for the data.
"""

import io
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, BinaryIO, cast

from polyculture.sources.decoders import DamageError
from polyculture.sources.framing import BrokenRecord
from polyculture.sources.record import (
    FileNotes,
    Filtered,
    Reader,
    Reading,
    Record,
    Rejection,
    Slot,
    extensions_of,
)
from polyculture.sources.side_files import MOST_NAMES, ArchiveNames
from polyculture.sources.sniff import (
    ARC_NAMES,
    COLUMNAR_NAMES,
    HEAD_BYTES,
    JSON_NAMES,
    PACKED_NAMES,
    PLAIN_NAMES,
    SEPARATED_NAMES,
    WARC_NAMES,
    Refused,
    recognise,
)
from polyculture.sources.stream import (
    BUFFER_BYTES,
    KEPT_BYTES,
    MAGIC_BYTES,
    RATIO_FREE_BYTES,
    ByteStream,
    Codec,
    Problem,
    Stream,
    find_codec,
    open_regular,
)
from polyculture.sources.tar_blocks import Member, TarWalk
from polyculture.storage.messages import brief, safe_detail
from schemas.accounts import LeftOut
from schemas.quarantined import QuarantineReason

MOST_WARNINGS = 20  # of members, told apart
MOST_IDS = 1_000_000  # names of whole-file members that repeats are told by
SIDECAR_BYTES = 2**20
SHOWN_NAME = 80
ONE_DOCUMENT = frozenset({"text", "html"})  # formats of one document a file, which have no id of their own
SIDECAR_NAMES = frozenset({"json", "cls", "id", "index", "inx"})
_PAGE_NAMES = frozenset({"html", "htm", "xhtml"})
# A member of this name promises text: bytes that are none are a loss, and no picture that may be passed over.
_TEXT_NAMES = (
    PLAIN_NAMES | JSON_NAMES | SEPARATED_NAMES | WARC_NAMES | ARC_NAMES | COLUMNAR_NAMES | PACKED_NAMES | _PAGE_NAMES
)


def read_tar(reading: Reading, readers: Mapping[str, Reader]) -> Iterator[Slot]:
    """The records of an archive's members, in order; see Reader.

    `byte_offset` counts in the archive, decompressed as a whole; all records of a member that is compressed by itself
    have that of its data. A member of one document has the id `ARCHIVE!MEMBER`, with `@OFFSET` where the name is
    repeated.

    Left out and counted: folders, links and devices (`skipped`), side files and hidden members (`left_out`), pictures
    and other bytes that are no text (Filtered), and beside a text the JSON of the same key, as WebDataset writes it
    (`skipped`: sidecar). A member that cannot be read is one rejection and counts as a lost end of the file, and
    so does a header that is damaged: reading goes on with the next one whose checksum fits. Archives inside archives,
    and Parquet and Arrow inside one, are not read.

    Args:
        reading: the archive.
        readers: all readers by format.
    """
    archive = _Archive(reading, readers)
    yield from archive.slots()
    archive.end()


@dataclass(slots=True)
class _MemberStream:
    """The bytes of a member that is not compressed by itself."""

    reader: "io.BufferedReader[Any]"
    problem: Problem | None
    codec: Codec = Codec.PLAIN
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Held:
    """A member that may describe a text of the same key, kept until the other members of the key are seen."""

    member: Member
    data: bytes
    is_right: bool


class _Archive:
    """One pass over the data of an archive, behind one over its names."""

    def __init__(self, reading: Reading, readers: Mapping[str, Reader]) -> None:
        self._reading = reading
        self._stream = cast("ByteStream", reading.stream)
        self._readers = readers
        self._names = ArchiveNames()
        for member in TarWalk(self._stream.reader).members():
            if isinstance(member, Member) and member.kind == "file":
                self._names.add(member.name)
        self._stream.rewind()
        self._walk = TarWalk(self._stream.reader)
        self._is_tail_said = False  # the end of a cut archive has its rejection
        self._warnings: Counter[str] = Counter()  # of members
        self._skipped: Counter[str] = Counter()
        self._left_out: dict[str, list[str]] = {}
        self._left_count: Counter[str] = Counter()
        self._named: set[bytes] = set()
        self._expanded_bytes = 0  # of members that are compressed by themselves
        self._key = ""  # of the members that are held, or of the last text
        self._is_text_seen = False  # a text of that key
        self._held: list[_Held | Slot] = []

    def slots(self) -> Iterator[Slot]:
        """All slots, and what was lost."""
        reading, problem = self._reading, self._stream.problem
        for member in self._walk.members():
            if isinstance(member, BrokenRecord):
                yield from self._release()
                yield self._broken(member)
                continue
            yield from self._member(member)
            most = max(RATIO_FREE_BYTES, reading.limits.max_expansion * reading.file.size_bytes)
            if self._expanded_bytes > min(most, reading.limits.max_file_bytes):
                detail = f"the members expand to more than {most} bytes (limits.max_expansion, limits.max_file_bytes)"
                yield reading.lose_tail(QuarantineReason.BOMB_RATIO, detail, self._walk.offset, 0)
                return
        yield from self._release()
        if self._is_tail_said:
            return
        if problem is not None:
            yield reading.lose_tail(problem.reason, problem.detail, self._walk.offset, problem.lost_bytes)
        elif not self._walk.is_marked:
            detail = "no end of the archive: the file may be cut behind a member"
            yield reading.lose_tail(QuarantineReason.TRUNCATED_INPUT, detail, self._walk.offset, 0)

    def end(self) -> None:
        """Note what was counted, once the archive is read."""
        notes, skipped = self._reading.notes, self._skipped
        for kind, count in sorted((+skipped).items()):
            notes.skipped[kind] = notes.skipped.get(kind, 0) + count
        if skipped["link"]:
            notes.warnings.append(f"links in the archive are not followed: {skipped['link']}")
        if skipped["sidecar"]:
            said = "beside texts of the same name metadata or labels are not read, as WebDataset keeps them"
            notes.warnings.append(f"{said}: {skipped['sidecar']} members")
        if self._walk.joined:
            notes.warnings.append(f"behind the end of the archive others follow, and were read: {self._walk.joined}")
        for said, count in self._warnings.items():
            notes.warnings.append(f"{said} (in {count} members)" if count > 1 else said)
        for why, names in sorted(self._left_out.items()):
            notes.left_out.append(LeftOut(why=why, files=self._left_count[why], names=names))

    def _member(self, member: Member) -> Iterator[Slot]:
        """The slots of one member, or of those that waited for it."""
        key, _, ending = member.name.rpartition("/")[2].partition(".")
        key, ending = member.name[: len(member.name) - len(ending)], ending.lower()
        if key != self._key:
            yield from self._release()
            self._key, self._is_text_seen = key, False
        if member.kind != "file":
            yield from self._no_file(member)
            return
        why = self._names.why_left_out(member.name)
        if why is not None:
            self._leave_out(member, why)
        elif not member.size_bytes:
            self._skipped["empty"] += 1
        elif ending in SIDECAR_NAMES and self._is_text_seen:
            self._skipped["sidecar"] += 1
        elif ending in SIDECAR_NAMES and member.size_bytes <= SIDECAR_BYTES and not self._missing(member):
            self._held.append(_Held(member, self._walk.read(member.size_bytes), self._walk.finish()))
        else:
            if ending in PLAIN_NAMES:
                self._is_text_seen = True
                self._drop_sidecars()
            yield from self._file(member)

    def _no_file(self, member: Member) -> Iterator[Slot]:
        if member.size_bytes and member.kind == "sparse":
            yield self._lose(member, QuarantineReason.SCHEMA_MISMATCH, "a sparse file: unpack the archive")
        elif member.size_bytes:
            yield self._lose(member, QuarantineReason.SCHEMA_MISMATCH, "an entry of a type that is not read")
        else:
            self._skipped[member.kind] += 1

    def _leave_out(self, member: Member, why: str) -> None:
        names = self._left_out.setdefault(why, [])
        self._left_count[why] += 1
        if len(names) < MOST_NAMES:
            names.append(f"{self._reading.file.name}!{member.name}")

    def _drop_sidecars(self) -> None:
        """Count what is held as beside a text; slots that came between stay."""
        self._skipped["sidecar"] += sum(isinstance(held, _Held) for held in self._held)
        self._held = [held for held in self._held if not isinstance(held, _Held)]

    def _release(self) -> Iterator[Slot]:
        """Read what was held: no text of its key came."""
        held, self._held = self._held, []
        for item in held:
            if isinstance(item, _Held):
                stream = _MemberStream(_buffered(io.BytesIO(item.data), len(item.data)), None)
                yield from self._read(item.member, stream, item)
            else:
                yield item

    def _file(self, member: Member) -> Iterator[Slot]:
        """The slots of a member's data, behind those that were held."""
        try:
            stream = self._open(member)
        except DamageError as damage:
            yield from self._release()
            yield self._lose(member, damage.reason, str(damage))
            return
        with stream if isinstance(stream, ByteStream) else nullcontext():
            slots = self._read(member, stream)
            first = next(slots, None)
            if isinstance(first, Filtered) and self._held:
                self._held.append(first)
                return
            yield from self._release()
            if first is not None:
                yield first
            yield from slots

    def _missing(self, member: Member) -> int:
        """Bytes of a member that the archive does not hold, because it is cut."""
        return max(0, member.data_offset + member.size_bytes - self._stream.trusted_bytes)

    def _open(self, member: Member) -> _MemberStream | ByteStream:
        """The bytes of a member, decompressed if it is compressed by itself. Raises DamageError if that cannot be."""
        size, missing = member.size_bytes, self._missing(member)
        raw = io.BytesIO(self._walk.read(size)) if size <= BUFFER_BYTES else _Data(self._walk)
        reader = _buffered(raw, size)
        if find_codec(reader.peek(MAGIC_BYTES)[:MAGIC_BYTES]) is Codec.PLAIN:
            problem = self._stream.problem
            if missing and problem is None:
                detail = f"the file ends inside a member: {size - missing} of {size} bytes"
                problem = Problem(QuarantineReason.TRUNCATED_INPUT, detail, 0)
            return _MemberStream(reader, problem if missing else None)
        if self._stream.codec is Codec.PLAIN:
            window = _Window(open_regular(self._reading.file.path), member.data_offset, size - missing)
            handle = cast("BinaryIO", io.BufferedReader(window, BUFFER_BYTES))
        elif size <= KEPT_BYTES:
            handle = io.BytesIO(reader.read())
        else:
            detail = f"{size} compressed bytes in an archive that is compressed itself, at most {KEPT_BYTES}: unpack it"
            raise DamageError(detail, is_bomb=True)
        stream = type(self._stream)(handle, size - missing, self._reading.limits)
        self._expanded_bytes += stream.trusted_bytes
        return stream

    def _read(self, member: Member, stream: Stream, held: _Held | None = None) -> Iterator[Slot]:
        """The slots of an open member. The last waits until the end of the member has shown that its size is right."""
        reading = self._reading
        found = recognise(
            member.name, stream.reader.peek(HEAD_BYTES)[:HEAD_BYTES], True, text_column=reading.columns["text"]
        )
        if isinstance(found, Refused):
            yield self._refused(member, found)
            return
        if found == "tar":
            yield self._lose(
                member, QuarantineReason.SCHEMA_MISMATCH, "an archive inside an archive: unpack the outer one"
            )
            return
        file = replace(reading.file, name=member.name, size_bytes=member.size_bytes)
        notes = FileNotes(format=found, warnings=list(stream.warnings))
        inside = replace(reading, file=file, stream=stream, notes=notes)
        if found == "empty":
            self._skipped["empty"] += stream.problem is None
        is_whole = found in ONE_DOCUMENT and not (found == "text" and reading.is_split)
        last: Slot | None = None
        has_records = False
        for slot in _nothing(inside) if found == "empty" else self._readers[found](inside):
            if last is not None:
                yield last
            last = self._placed(slot, member, inside, is_whole=is_whole)
            has_records |= isinstance(last, Record)
        is_right = held.is_right if held is not None else self._walk.finish()
        if last is not None and not is_right and isinstance(last, Record):
            detail = f"its size of {member.size_bytes} bytes does not lead to the next member"
            last = self._lose(member, QuarantineReason.BAD_CONTENT_LENGTH, detail, at=last.byte_offset)
        if last is not None:
            yield last
        self._merge(notes, member)
        if has_records:
            reading.notes.members[notes.format] = reading.notes.members.get(notes.format, 0) + 1

    def _placed(self, slot: Slot, member: Member, inside: Reading, *, is_whole: bool) -> Slot:
        """A slot of a member as one of the archive."""
        is_packed = inside.stream.codec is not Codec.PLAIN
        offset = member.data_offset + (0 if is_packed else slot.byte_offset)
        if isinstance(slot, Record):
            values = {**slot.values, "id": self._id(member)} if is_whole else slot.values
            return Record(values, offset, slot.sha256)
        if isinstance(slot, Filtered):
            return Filtered(slot.rule, offset)
        if slot.is_tail and self._missing(member):
            self._is_tail_said = True
        detail = safe_detail(f"{brief(member.name, SHOWN_NAME)}: {slot.detail}")
        return replace(slot, byte_offset=offset, detail=detail)

    def _id(self, member: Member) -> str | None:
        """A name for a document that is a whole member; None, so that its place counts, for those behind a million."""
        name = f"{self._reading.file.name}!{member.name}"
        digest = blake2b(member.name.encode(), digest_size=8).digest()
        if digest in self._named:
            return f"{name}@{member.byte_offset}"
        if len(self._named) == MOST_IDS:
            return None
        self._named.add(digest)
        return name

    def _refused(self, member: Member, found: Refused) -> Slot:
        if found.is_other and not extensions_of(member.name) & _TEXT_NAMES:
            return Filtered("binary_member", member.data_offset)
        return self._lose(member, found.reason, found.detail)

    def _lose(self, member: Member, reason: QuarantineReason, detail: str, *, at: int | None = None) -> Rejection:
        said = f"{brief(member.name, SHOWN_NAME)}: {detail}"
        offset = member.data_offset if at is None else at
        self._is_tail_said |= bool(self._missing(member))
        return self._reading.lose_tail(reason, said, offset, member.size_bytes)

    def _broken(self, record: BrokenRecord) -> Slot:
        """A stretch of bytes that is no member."""
        problem = self._stream.problem
        self._is_tail_said |= record.is_end
        if record.is_end and problem is not None:
            return self._reading.lose_tail(problem.reason, problem.detail, record.byte_offset, problem.lost_bytes)
        lost = self._walk.offset - record.byte_offset
        detail = f"{record.detail}: {lost} bytes up to {'the end' if record.is_end else 'the next member'} are lost"
        return self._reading.lose_tail(record.reason, detail, record.byte_offset, lost)

    def _merge(self, notes: FileNotes, member: Member) -> None:
        """Add a member's notes to the archive's."""
        own = self._reading.notes
        self._skipped.update(notes.skipped)
        for warning in notes.warnings:
            is_new = warning not in self._warnings
            self._warnings["more warnings" if is_new and len(self._warnings) > MOST_WARNINGS else warning] += 1
        own.is_tail_lost |= notes.is_tail_lost
        own.lost_bytes += notes.lost_bytes
        if notes.loss and not own.loss:
            own.loss = safe_detail(f"{brief(member.name, SHOWN_NAME)}: {notes.loss}")


def _nothing(reading: Reading) -> Iterator[Slot]:
    """The slots of a member without data: what its stream could not deliver."""
    tail = reading.lost_tail(0)
    if tail is not None:
        yield tail


def _buffered(raw: io.RawIOBase | io.BytesIO, size: int) -> "io.BufferedReader[Any]":
    return io.BufferedReader(cast("io.RawIOBase", raw), max(1, min(BUFFER_BYTES, size)))


class _Data(io.RawIOBase):
    """The data of the member that a walk stands in."""

    def __init__(self, walk: TarWalk) -> None:
        self._walk = walk

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer has no length
        data = self._walk.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Window(io.RawIOBase):
    """A stretch of a file, as a file of its own."""

    def __init__(self, handle: BinaryIO, start: int, size: int) -> None:
        self._handle, self._start, self._size = handle, start, size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer has no length
        self._handle.seek(self._start + self._at)
        data = self._handle.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._handle.close()
        super().close()
