"""Distinct documents that a mixture leaves out: rows of `unselected/`."""

from enum import StrEnum

import pyarrow as pa


class LeftOutReason(StrEnum):
    """Why no shard holds a distinct document."""

    MIXTURE = "mixture"  # rates, limits and the budget need fewer documents of its source
    VALIDATION_TWIN = "validation_twin"  # a document that is held out is its exact or near twin


# One row per distinct document that is in no shard; held-out documents are in shards of their own.
UNSELECTED_SCHEMA = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("text_tokens", pa.int64(), nullable=False),
    ]
)
