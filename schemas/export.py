"""What an export wrote, and from which run."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class ExportedGroup(BaseModel):
    """One pair of `.bin` and `.idx`, which a group without documents has not; tokens with one end token a document."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    documents: int
    tokens: int


class MegatronExport(BaseModel):
    """The content of `export.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["megatron"] = "megatron"
    manifest_sha256: str
    tokenizer_sha256: str
    end_token: str
    dtype: str
    groups: list[ExportedGroup]
