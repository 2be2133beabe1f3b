"""The configuration of measurement."""

from typing import Literal

from pydantic import Field

from schemas.strict import Strict


class SemanticConfig(Strict):
    """The semantic lens: every document is embedded, and probes are compared with all of them."""

    encoder: Literal["embedded", "sentence_transformers"] = Field(
        "embedded", description="The table inside wordllama, corrected by language, or a local model."
    )
    path: str | None = Field(
        None, description="Folder of the model; for `embedded` a background other than the one that ships."
    )
    languages: tuple[str, ...] = Field((), description="Codes that a local model covers; `*` for all.")
    probes: int = Field(500, ge=1, le=100_000, description="Probes per source, stage and weighting.")


class MeasureConfig(Strict):
    """How the full corpus is probed."""

    probes: int = Field(
        2000, ge=1, le=1_000_000, description="Probes per source, stage and weighting; half-widths fall with its root."
    )
    semantic: SemanticConfig | None = Field(None, description="The semantic lens; absent: not measured.")
