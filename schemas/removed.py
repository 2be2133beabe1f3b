"""Documents that deduplication took out: rows of `removed/`."""

import pyarrow as pa

# One row per removed document; `kept_id` is the representative that stayed.
REMOVED_SCHEMA = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),  # the lens: exact or near
        pa.field("kept_id", pa.string(), nullable=False),
        pa.field("kept_source", pa.string(), nullable=False),
        pa.field("similarity", pa.float64(), nullable=False),  # Jaccard of shingle sets, 0..1; 1 for exact
        pa.field("text_tokens", pa.int64(), nullable=False),
    ]
)
