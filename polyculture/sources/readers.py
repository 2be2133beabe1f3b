"""All readers by format: one line each."""

from collections.abc import Iterator, Mapping

from polyculture.sources.arc import read_arc
from polyculture.sources.arrow_ipc import read_arrow_file, read_arrow_stream
from polyculture.sources.html import read_html
from polyculture.sources.json_document import read_json
from polyculture.sources.jsonl import read_jsonl
from polyculture.sources.parquet import read_parquet
from polyculture.sources.record import Reader, Reading, Slot
from polyculture.sources.separated import read_separated
from polyculture.sources.tar import read_tar
from polyculture.sources.text import read_text
from polyculture.sources.warc import read_warc


def _read_members(reading: Reading) -> Iterator[Slot]:
    return read_tar(reading, READERS)


READERS: Mapping[str, Reader] = {
    "jsonl": read_jsonl,
    "json": read_json,
    "csv": read_separated,
    "parquet": read_parquet,
    "arrow": read_arrow_file,
    "arrow_stream": read_arrow_stream,
    "warc": read_warc,
    "arc": read_arc,
    "html": read_html,
    "text": read_text,
    "tar": _read_members,
}
