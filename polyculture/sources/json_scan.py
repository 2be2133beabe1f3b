"""The ends of JSON values in a stream of bytes, found in bounded memory and without building the values."""

import re
from collections.abc import Callable

import orjson

CHUNK_BYTES = 2**20
GUESSES = 3  # parsing is ten times as fast as looking at every quote
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]\\]++|' + _STRING + rb")*+([{}\[\]\\]?)", re.DOTALL)
_REST_OF_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_WHOLE_STRING = re.compile(_STRING, re.DOTALL)
_SCALAR = re.compile(rb'[^\s,:"{}\[\]]*+')
_OBJECT_END = re.compile(rb"\}\s*[,\]]")
_BLANK = re.compile(rb"[ \t\r\n]*+")


class CutError(Exception):
    """The bytes end before the JSON value that they began."""


class StructureError(ValueError):
    """Between two values stands what JSON does not have there: nothing behind it can be told apart."""


class JsonWindow:
    """A window on a stream of JSON: what the values are is left to others, this finds where they end.

    With the parser behind it half as fast as JSON Lines; memory is the window, at most twice the longest value that was
    asked for.
    """

    def __init__(self, read: Callable[[int], bytes], start: bytes = b"") -> None:
        """Begin at the start of the stream; `start` are bytes of it that were read before."""
        self._read = read
        self._data = start
        self._at = 0
        self._base = 0

    @property
    def offset(self) -> int:
        """Place in the stream, in bytes."""
        return self._base + self._at

    def peek(self) -> bytes:
        """The next byte that is no white space, not taken yet; empty at the end of the stream."""
        while True:
            self._at = _BLANK.match(self._data, self._at).end()  # type: ignore[union-attr]  # it matches nothing too
            if self._at < len(self._data):
                return self._data[self._at : self._at + 1]
            if not self._fill():
                return b""

    def skip(self, count: int) -> None:
        """Take bytes that were seen by `peek`."""
        self._at += count

    def value(self, most_bytes: int) -> tuple[bytes, int]:
        """Take the value that starts here, and pass over what of it is beyond `most_bytes`.

        Returns:
            Its bytes, or the first `most_bytes` + 1 of them, and its length.

        Raises:
            CutError: the stream ends inside it.
            StructureError: a backslash stands outside of its strings, or no value starts here.
        """
        kind = self.peek()
        if kind in (b"{", b"["):
            end = self._guessed(most_bytes) or self._bracketed(most_bytes)
        elif kind == b'"':
            end = self._matched(_WHOLE_STRING, most_bytes)
        else:
            end = self._matched(_SCALAR, most_bytes)
        if end is not None:
            found = self._data[self._at : end]
            self._at = end
            return found, len(found)
        head = self._data[self._at : self._at + most_bytes + 1]
        first = self.offset
        self.pass_over()
        return head, self.offset - first

    def pass_over(self, depth: int = 0) -> None:
        """Take the rest of a value in bounded memory; `depth` brackets of it are open. Raises as `value` does."""
        kind = b"" if depth else self.peek()
        if kind == b'"':
            self._at += 1
            self._finish_string()
            return
        if not depth and kind not in (b"{", b"["):
            if not self._drain(_SCALAR):
                raise StructureError("no value where one is wanted")
            return
        while True:
            bracket = self._step()
            if bracket == b'"':
                self._finish_string()
            depth += (bracket in (b"{", b"[")) - (bracket in (b"}", b"]"))
            if depth <= 0:
                return

    def _finish_string(self) -> None:
        self._drain(_REST_OF_STRING)
        self._at += 1

    def _step(self) -> bytes:
        """Take everything up to a bracket, and the bracket; or the quote of a string that the window does not hold."""
        while True:
            found = _TO_BRACKET.match(self._data, self._at)
            self._at = found.end()  # type: ignore[union-attr]  # it matches nothing too
            bracket = found[1]  # type: ignore[index]
            if bracket == b"\\":
                raise StructureError("a backslash outside of a string")
            if bracket:
                return bytes(bracket)
            if self._at < len(self._data):
                self._at += 1
                return b'"'
            self._need()

    def _guessed(self, most_bytes: int) -> int | None:
        """Index behind the object that starts here, if one of the next brackets ends it; None if none does.

        What parses as an object from its first byte to its last is the whole object: no valid one begins another.
        """
        end = self._at
        for _ in range(GUESSES):
            found = _OBJECT_END.search(self._data, end, self._at + most_bytes + 1)
            if found is None:
                return None
            end = found.start() + 1
            try:
                orjson.loads(memoryview(self._data)[self._at : end])
            except orjson.JSONDecodeError:
                continue
            return end
        return None

    def _bracketed(self, most_bytes: int) -> int | None:
        """Index behind the bracketed value that starts here; None if it is longer."""
        at, depth = self._at, 0
        while True:
            found = _TO_BRACKET.match(self._data, at)
            bracket = found[1]  # type: ignore[index]  # it matches nothing too
            at = found.end()  # type: ignore[union-attr]
            if bracket == b"\\":
                raise StructureError("a backslash outside of a string")
            if bracket:
                depth += 1 if bracket in b"{[" else -1
                if not depth:
                    return at if at - self._at <= most_bytes else None
            elif len(self._data) - self._at > most_bytes:
                return None
            else:
                at -= self._need()

    def _matched(self, pattern: "re.Pattern[bytes]", most_bytes: int) -> int | None:
        """Index behind the string or scalar that starts here; None if it is longer."""
        while True:
            found = pattern.match(self._data, self._at)
            end = found.end() if found else len(self._data)
            if found is not None and (end < len(self._data) or pattern is _WHOLE_STRING):
                if end == self._at:
                    raise StructureError("no value where one is wanted")
                return end if end - self._at <= most_bytes else None
            if len(self._data) - self._at > most_bytes:
                return None
            self._need()

    def _drain(self, pattern: "re.Pattern[bytes]") -> int:
        """Take what `pattern` matches, however long, up to a byte that it does not; returns the bytes taken."""
        taken = 0
        while True:
            end = pattern.match(self._data, self._at).end()  # type: ignore[union-attr]  # it matches nothing too
            taken += end - self._at
            self._at = end
            if end < len(self._data) and (pattern is _SCALAR or self._data[end] == ord('"')):
                return taken
            self._need()

    def _need(self) -> int:
        """Read more; returns how far the window moved. Raises CutError at the end of the stream."""
        moved = self._at
        if not self._fill():
            raise CutError
        return moved

    def _fill(self) -> bool:
        kept = self._data[self._at :]
        self._base += self._at
        self._at = 0
        more = self._read(max(CHUNK_BYTES, len(kept)))  # as much again: what is looked at twice stays within a factor
        self._data = kept + more if kept else more
        return bool(more)
