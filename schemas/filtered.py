"""Documents that filters took out: rows of `filtered/`."""

from typing import NamedTuple

import pyarrow as pa

IN_PARENT = "in_parent"  # reason of the candidates that a top-up's parent holds already


class FilteredField(NamedTuple):
    """A column of `filtered/`, and what it holds."""

    name: str
    type: pa.DataType
    description: str


FILTERED_FIELDS = (
    FilteredField("document_id", pa.string(), "Of the document that left, as it would stand in the shards."),
    FilteredField("source", pa.string(), "The source's configured name."),
    FilteredField(
        "reason", pa.string(), "The filter, by the name that `filtered` of the conservation table counts it."
    ),
    FilteredField("detail", pa.string(), "Which entry, licence or twin it was; escaped and cut, never document text."),
    FilteredField("text_tokens", pa.int64(), "Tokens of its text."),
)

# One row per document that a filter took out. Slots that a reader filters are no documents, and have no row.
FILTERED_SCHEMA = pa.schema([pa.field(field.name, field.type, nullable=False) for field in FILTERED_FIELDS])
