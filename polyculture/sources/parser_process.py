"""Child processes that parse foreign files, as the parent sees them: one for a file, or one for many small ones.

The start of a child costs a third of a second of CPU time. Inside `parser_kept` a child that has read a small file
whole reads the next one too. What fails in such a child is read again from the beginning in a new one, and only what
a new one says counts: no file pays for what another one did to its parser, and no result depends on which files came
before.
"""

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from schemas.quarantined import QuarantineReason

PIPE_BYTES = 2**20
FRAME_HEADER_BYTES = 9
KEPT_BYTES = 16 * 2**20  # of results: a child that has sent more ends with its file, and gives its memory back

Item = TypeVar("Item")


class ChildError(Exception):
    """The child did not deliver the file whole.

    Attributes:
        reason: reason for the quarantine.
    """

    def __init__(self, reason: QuarantineReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Parser:
    """A child that waits for requests.

    Attributes:
        max_bytes: its address space.
        is_reusable: its last file was small and read whole, and nothing is under way.
    """

    def __init__(self, max_bytes: int) -> None:
        """Start it."""
        self.max_bytes, self.is_reusable = max_bytes, False
        # -P keeps this folder off the child's import path: it holds an `html.py`.
        command = [sys.executable, "-P", str(Path(__file__).with_name("isolated.py")), str(max_bytes)]
        pipe = subprocess.PIPE
        self._child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, bufsize=0)
        self._sent = 0

    def frames(self, request: Mapping[str, object], max_seconds: int) -> Iterator[tuple[bytes, bytes]]:
        """Frames until the last one of a file; see `polyculture.sources.isolated`.

        Args:
            request: the file and what is wanted of it.
            max_seconds: longest silence.

        Raises:
            ChildError: the child died, was silent for too long, or sent something else.
        """
        self.is_reusable = False
        name = str(request["format"])
        pipe = _Pipe(cast("BinaryIO", self._child.stdout).fileno(), max_seconds)
        try:
            cast("BinaryIO", self._child.stdin).write(json.dumps(request).encode() + b"\n")
            while True:
                header = pipe.read(FRAME_HEADER_BYTES)
                kind, length = header[:1], int.from_bytes(header[1:], "big")
                if kind not in (b"S", b"B", b"E", b"F") or length > self.max_bytes:
                    raise ChildError(QuarantineReason.PARSER_CRASH, f"{name}: garbage from the child")
                payload = pipe.read(length)
                self._sent += length
                self.is_reusable = kind in (b"S", b"F") and self._sent <= KEPT_BYTES
                yield kind, payload
                if kind != b"B":
                    return
        except (EOFError, BrokenPipeError):
            self._child.kill()
            detail = f"{name}: the parser died (exit {self._child.wait()})"
            raise ChildError(QuarantineReason.PARSER_CRASH, detail) from None

    def close(self) -> None:
        """End it, whatever it is at."""
        self._child.kill()
        with self._child:
            pass


class _Kept(threading.local):
    """The child that a thread keeps between two files.

    Attributes:
        depth: contexts of `parser_kept` that the thread is in.
        parser: the child, if there is one that nothing uses.
    """

    depth = 0
    parser: Parser | None = None


_kept = _Kept()


@contextmanager
def parser_kept() -> Iterator[None]:
    """Inside the context, small files that this thread reads one after another share a child, which ends with it."""
    _kept.depth += 1
    try:
        yield
    finally:
        _kept.depth -= 1
        if not _kept.depth and _kept.parser is not None:
            parser, _kept.parser = _kept.parser, None
            parser.close()


def parsed(read: Callable[[Parser], Iterator[Item]], max_bytes: int) -> Iterator[Item]:
    """Items that are read from a child: the one that is kept if there is one, and a new one where that fails.

    Args:
        read: asks a child for a file; the same items each time.
        max_bytes: address space of the child.

    Raises:
        ChildError: a new child did not deliver the file whole.
    """
    parser, _kept.parser = _kept.parser, None
    given = 0
    if parser is not None:
        try:
            for item in _read_and_keep(read, parser):
                yield item
                given += 1
        except ChildError:
            pass
        else:
            return
    yield from islice(_read_and_keep(read, Parser(max_bytes)), given, None)


def _read_and_keep(read: Callable[[Parser], Iterator[Item]], parser: Parser) -> Iterator[Item]:
    try:
        yield from read(parser)
    finally:
        if parser.is_reusable and _kept.depth and _kept.parser is None:
            _kept.parser = parser
        else:
            parser.close()


class _Pipe:
    """Reads from a descriptor with a limit on silence."""

    def __init__(self, descriptor: int, max_seconds: int) -> None:
        self._descriptor = descriptor
        self._max_seconds = max_seconds

    def read(self, count: int) -> bytes:
        """Exactly `count` bytes. Raises EOFError at the end and ChildError after too long a silence."""
        data = bytearray()
        while len(data) < count:
            if not select.select([self._descriptor], [], [], self._max_seconds)[0]:
                detail = f"the parser was silent for {self._max_seconds} s (limits.max_parser_seconds)"
                raise ChildError(QuarantineReason.TIMEOUT, detail)
            part = os.read(self._descriptor, min(PIPE_BYTES, count - len(data)))
            if not part:
                raise EOFError
            data += part
        return bytes(data)
