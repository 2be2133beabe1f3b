"""Records that cannot be documents: rows of `quarantined/` and the closed list of reasons."""

from enum import StrEnum

import pyarrow as pa


class QuarantineReason(StrEnum):
    """The reason why a record slot was set aside. The list is closed: another one is a defect of this program."""

    TOO_LONG_LINE = "too_long_line"
    INVALID_UTF8 = "invalid_utf8"
    BAD_ROW = "bad_row"
    BAD_JSON = "bad_json"
    NOT_OBJECT = "not_object"
    DUPLICATE_KEY = "duplicate_key"
    TEXT_MISSING = "text_missing"
    TEXT_WRONG_TYPE = "text_wrong_type"
    TEXT_EMPTY = "text_empty"
    LONE_SURROGATE = "lone_surrogate"
    NUL_OR_CONTROL = "nul_or_control"
    TOO_DEEP = "too_deep"
    TOO_MANY_KEYS = "too_many_keys"
    DOC_TOO_BIG = "doc_too_big"
    DECOMPRESS_ERROR = "decompress_error"
    TRUNCATED_INPUT = "truncated_input"
    BOMB_RATIO = "bomb_ratio"
    BOMB_SIZE = "bomb_size"
    BAD_WARC_HEADER = "bad_warc_header"
    BAD_CONTENT_LENGTH = "bad_content_length"
    UNSUPPORTED_CHARSET = "unsupported_charset"
    SCHEMA_MISMATCH = "schema_mismatch"
    ID_CONFLICT = "id_conflict"
    TIMEOUT = "timeout"
    PARSER_CRASH = "parser_crash"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    PATH_REJECTED = "path_rejected"


# One row per record slot that did not become a document.
QUARANTINED_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("file", pa.string(), nullable=False),  # as the manifest names it
        pa.field("byte_offset", pa.int64(), nullable=False),  # in the decompressed stream; rows for columnar files
        pa.field("sha256", pa.string(), nullable=False),  # of the raw bytes of the record, or of what was left of them
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),  # at most 200 characters, control characters escaped
    ]
)
