"""Arrow IPC: the file format (Feather version 2) and the stream format."""

from collections.abc import Iterator

from polyculture.sources.columnar import read_columnar
from polyculture.sources.record import Reading, Slot


def read_arrow_file(reading: Reading) -> Iterator[Slot]:
    """The rows of an Arrow IPC file; see `read_columnar`. Without its footer, that is cut, nothing of it is read."""
    return read_columnar(reading, "arrow")


def read_arrow_stream(reading: Reading) -> Iterator[Slot]:
    """The rows of an Arrow IPC stream; see `read_columnar`. One that is cut gives the batches before the cut."""
    return read_columnar(reading, "arrow_stream")
