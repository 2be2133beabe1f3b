"""One file to checked documents."""

from collections.abc import Iterator

from polyculture.compute.watchdog import UNWATCHED, OverdueError, Watchdog
from polyculture.sources.decoders import DamageError
from polyculture.sources.documents import Document, FieldPlan, Tally, plan_fields, to_document
from polyculture.sources.readers import READERS
from polyculture.sources.record import TIME_LIMIT, FileNotes, Filtered, InputFile, Reading, Record, Rejection, Slot
from polyculture.sources.sniff import HEAD_BYTES, Refused, recognise
from polyculture.sources.stream import ByteStream, Codec
from schemas.quarantined import QuarantineReason
from schemas.source_config import LimitsConfig, SourceConfig


def read_file(
    file: InputFile, source: SourceConfig, limits: LimitsConfig, notes: FileNotes, watchdog: Watchdog = UNWATCHED
) -> Iterator[Document | Rejection | Filtered]:
    """Recognise a file, read it, and check its documents.

    Every record slot of the file yields exactly one item, in the file's order. Whatever is wrong with the file's bytes
    becomes a Rejection; a defect of this program raises.

    Args:
        file: file that `find_inputs` found.
        source: its `fields`, `kind` and `cut_pages` are used.
        limits: bounds.
        notes: empty; filled while the iterator runs.
        watchdog: runs what may take long for one document.

    Returns:
        See above. Memory is bounded by the limits, not by the file; about 100 MB of JSON Lines text a second.
    """
    plan = plan_fields(source, limits)
    tally = Tally()
    position = offset = 0
    try:
        for slot in _slots(file, source, plan, notes, watchdog):
            offset = slot.byte_offset
            yield _checked(slot, position, plan, tally, watchdog) if isinstance(slot, Record) else slot
            position += 1
    except (OSError, MemoryError, RecursionError, DamageError) as error:
        # Not for ValueError and its like: what these readers expect of bad data, they catch where it happens. Damage
        # shows here only in a file that changed after its first pass.
        notes.is_tail_lost = True
        notes.lost_bytes = file.size_bytes
        detail = f"{type(error).__name__} after {position} records"
        notes.loss = detail
        yield Rejection(_reason(error), detail, offset, file.sha256, is_tail=True)
    notes.warnings += tally.warnings(plan)


def _checked(record: Record, position: int, plan: FieldPlan, tally: Tally, watchdog: Watchdog) -> Document | Rejection:
    try:
        return watchdog.run(to_document, record, position, plan, tally)
    except OverdueError as error:
        detail = f"{error} to check the record ({TIME_LIMIT})"
        return Rejection(QuarantineReason.TIMEOUT, detail, record.byte_offset, record.sha256)


def _slots(
    file: InputFile, source: SourceConfig, plan: FieldPlan, notes: FileNotes, watchdog: Watchdog
) -> Iterator[Slot]:
    limits = plan.limits
    with ByteStream.open(file.path, limits) as stream:
        notes.warnings += stream.warnings
        head = stream.reader.peek(HEAD_BYTES)[:HEAD_BYTES]
        is_packed = stream.codec is not Codec.PLAIN
        suffix = f"+{stream.codec}" if is_packed else ""
        reading = Reading(
            file, stream, plan.columns, limits, notes, source.cut_pages, plan.is_split, plan.is_chat, watchdog
        )
        found = recognise(file.name, head, is_packed, plan.columns["text"])
        if isinstance(found, Refused):
            notes.format = "unknown" + suffix
            yield reading.lose_tail(found.reason, found.detail, 0, file.size_bytes)
            return
        notes.format = found + suffix
        if found == "empty":
            tail = reading.lost_tail(0)
            if tail is not None:
                yield tail
            return
        yield from READERS[found](reading)


def _reason(error: BaseException) -> QuarantineReason:
    if isinstance(error, DamageError):
        return error.reason
    return QuarantineReason.DECOMPRESS_ERROR if isinstance(error, OSError) else QuarantineReason.PARSER_CRASH
