"""Bytes behind the last member of a compressed file: padding and junk are a warning, a lost member is damage."""

from collections.abc import Callable
from dataclasses import dataclass
from os import SEEK_END
from typing import BinaryIO

from polyculture.sources.decoders import READ_BYTES, DamageError

MAX_JUNK_BYTES = 2**12  # junk that is no text; more is what is left of a member
MAX_TEXT_JUNK_BYTES = 2**16  # a page of an error, a signature
_TEXT = bytes({9, 10, 13, *range(32, 127)})


@dataclass(frozen=True, slots=True)
class Container:
    """A compression, as far as its end is concerned.

    Attributes:
        name: its name in messages.
        unit: what a file of it is a row of: member, stream, frame.
        magic: the bytes that one begins with.
        has_trace: True if bytes that do not begin with the magic end like one all the same, or hold part of one.
    """

    name: str
    unit: str
    magic: bytes
    has_trace: Callable[[bytes], bool]


def skip_zeros(handle: BinaryIO, rest: bytes) -> tuple[int, bytes]:
    """Move over zero bytes: how many there are, and the bytes read behind them (none at the end of the file)."""
    zeros = 0
    while rest or (rest := handle.read(READ_BYTES)):
        stripped = rest.lstrip(b"\0")
        zeros += len(rest) - len(stripped)
        rest = stripped
        if rest:
            break
    return zeros, rest


def end_in_junk(
    handle: BinaryIO, rest: bytes, container: Container, *, zeros: int = 0, first: bool = False
) -> list[str]:
    """Judge what follows the last whole member, to the end of the file, in bounded memory.

    Zero bytes, and junk that shows no trace of a member, cost nothing and are counted. A trace is a magic number, with
    at most one bit in eight changed where the next member should begin, or intact anywhere behind; or the end that
    members have. Damage that destroys both ends of a last member below 4 KiB looks like junk.

    Args:
        handle: the file, behind `rest`.
        rest: the first bytes of the junk.
        container: the compression.
        zeros: zero bytes that were passed before `rest`.
        first: no member came before.

    Returns:
        Warnings.

    Raises:
        DamageError: the bytes may be a member that was lost; what came before is right.
    """
    more, rest = skip_zeros(handle, rest)
    zeros += more
    junk = rest + handle.read(max(0, MAX_TEXT_JUNK_BYTES + 1 - len(rest)))
    unit = f"{container.name} {container.unit}"
    if junk and (first or is_lost_member(junk, container)):
        count = len(junk) - handle.tell() + handle.seek(0, SEEK_END)
        detail = f"{count} bytes after the last {container.unit} are no {unit}: lost data, or junk to cut off"
        raise DamageError(f"{container.name}: {detail}", is_cut=True)
    warnings = [f"{zeros} zero bytes follow the last {unit}"] if zeros else []
    return [*warnings, f"{len(junk)} bytes of junk follow the last {unit}"] if junk else warnings


def is_lost_member(junk: bytes, container: Container) -> bool:
    """True if bytes behind the last member may be what is left of another one. O(len(junk)) but for zstd."""
    magic = container.magic
    is_near = len(junk) >= len(magic) and _different_bits(junk[: len(magic)], magic) <= len(magic)
    if is_near or magic in junk:
        return True
    if not junk.translate(None, _TEXT):
        return len(junk) > MAX_TEXT_JUNK_BYTES
    return len(junk) > MAX_JUNK_BYTES or container.has_trace(junk)


def _different_bits(left: bytes, right: bytes) -> int:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).bit_count()
