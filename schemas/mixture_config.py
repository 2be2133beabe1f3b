"""The configuration of the mixture and its shards."""

from typing import Literal

from pydantic import Field

from schemas.documents import Kind
from schemas.strict import Fraction, Rate, Strict


class KindLimit(Strict):
    """Limits on one kind in the mixture."""

    max_fraction: Fraction = Field(1.0, description="Share of the mixture's tokens at most.")


class MixtureConfig(Strict):
    """How much of each source the shards hold. Without it every rate is 1 and there is no budget."""

    tokens: int | None = Field(None, gt=0, description="Token budget; rates are scaled to it by one factor.")
    rates: dict[str, Rate] = Field(
        default_factory=dict, description="Epochs of each source's distinct documents before scaling; 1 where absent."
    )
    max_epochs: float | None = Field(
        None,
        gt=0,
        le=1000,
        allow_inf_nan=False,
        description="Epochs at most, for every source; without it scaling never goes past max(1, the source's rate).",
    )
    kinds: dict[Kind, KindLimit] = Field(default_factory=dict, description="Limits per kind.")


class ShardConfig(Strict):
    """The files that a trainer reads."""

    max_shard_bytes: int = Field(400 * 10**6, ge=10_000, description="Bytes of Arrow data per shard, about.")
    batch_rows: int = Field(1000, ge=1, le=100_000, description="Rows per record batch at most.")
    max_batch_bytes: int = Field(64 * 2**20, ge=1000, le=2**30, description="Bytes per record batch, about.")
    format: Literal["stream", "file"] = Field(
        "stream",
        description="Arrow IPC format. A `stream` opens in Hugging Face datasets; a `file` ends with an index of its "
        "batches.",
    )
    compression: Literal["none", "lz4", "zstd"] = Field(
        "none", description="Of the buffers in each batch. `none` is mapped by readers without a copy."
    )
