"""The configuration of measurement."""

from typing import Literal

from pydantic import Field, model_validator

from schemas.strict import Strict


class SemanticConfig(Strict):
    """The semantic lens: every document is embedded, and probes are compared with all of them."""

    encoder: Literal["embedded", "sentence_transformers", "column"] = Field(
        "embedded",
        description="The table inside wordllama, corrected by language; a local model; or the column that sources map "
        "to `embedding`.",
    )
    path: str | None = Field(
        None, description="Folder of the model; for `embedded` a background other than the one that ships."
    )
    languages: tuple[str, ...] = Field((), description="Language codes that a local model covers; `*` for all.")
    model: str | None = Field(
        None, min_length=1, max_length=200, description="For `column`: model and revision, as reports are to name them."
    )
    dimensions: int | None = Field(None, ge=2, le=8192, description="For `column`: dimensions of an embedding.")
    probes: int = Field(500, ge=1, le=100_000, description="Probes per source, stage and weighting.")

    @model_validator(mode="after")
    def _check(self) -> "SemanticConfig":
        is_column = self.encoder == "column"
        if is_column and (self.model is None or self.dimensions is None or self.path is not None):
            raise ValueError("encoder: column needs `model` and `dimensions`, and has no `path`")
        if not is_column and (self.model is not None or self.dimensions is not None):
            raise ValueError("model and dimensions belong to `encoder: column`; others know their own")
        return self


class MeasureConfig(Strict):
    """Settings of how the full corpus is probed."""

    probes: int = Field(
        2000,
        ge=1,
        le=1_000_000,
        description="Probes per source, stage and weighting; intervals narrow with its square root.",
    )
    semantic: SemanticConfig | None = Field(
        default_factory=SemanticConfig,
        description="The semantic lens and the measures of embeddings, by the embedded encoder unless another is "
        "named; null: not measured, and the run takes about two thirds of the time.",
    )
