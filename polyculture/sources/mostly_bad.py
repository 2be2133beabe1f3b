"""Files whose records are mostly bad: their format is another one."""

from collections.abc import Iterator

from polyculture.sources.record import Reading, Rejection, Slot
from schemas.quarantined import QuarantineReason

STOP_AFTER = 10_000  # slots after which a file of mostly bad ones is given up


def until_mostly_bad(
    reading: Reading, slots: Iterator[Slot], verdict: str, hint: str, reason: QuarantineReason
) -> Iterator[Slot]:
    """The slots, given up with one rejection for the rest if more of the first 10,000 are bad than good.

    Args:
        reading: the file that they are of.
        slots: slots of the file, in order.
        verdict: words on a bad slot, e.g. `lines are no JSON objects`.
        hint: words on what the file might be instead.
        reason: reason of the last rejection.
    """
    count = bad = 0
    for slot in slots:
        count += 1
        bad += isinstance(slot, Rejection) and not slot.is_tail
        yield slot
        if count == STOP_AFTER and bad * 2 > count:
            detail = f"{bad} of the first {count} {verdict}; {hint}"
            yield reading.lose_tail(reason, detail, slot.byte_offset, reading.file.size_bytes)
            return
    if bad * 2 > count:
        reading.notes.warnings.append(f"{bad} of {count} {verdict}; {hint}")
