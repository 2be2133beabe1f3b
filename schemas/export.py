"""The record of what an export wrote, and from which run."""

from typing import Literal

from schemas.strict import Strict


class ExportedGroup(Strict):
    """One pair of `.bin` and `.idx`, which a group without documents has not; tokens with one end token a document."""

    name: str
    documents: int
    tokens: int


class MegatronExport(Strict):
    """The content of `export.json`."""

    format: Literal["megatron"] = "megatron"
    manifest_sha256: str
    tokenizer_sha256: str
    end_token: str
    dtype: str
    groups: list[ExportedGroup]
