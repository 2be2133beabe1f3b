"""The configuration of what is read: sources, bounds on them, the tokenizer."""

from typing import Literal

from pydantic import Field, model_validator

from schemas.documents import MAPPABLE_FIELDS, Kind
from schemas.strict import Fraction, Name, Sha256, Strict

CutPages = Literal["keep", "leave_out"]
RESERVED_SCOPES = frozenset({"all", "each_source", "each_kind", *Kind})


class LimitsConfig(Strict):
    """Bounds on untrusted input. What is over a bound is quarantined; the run goes on."""

    max_document_bytes: int = Field(10 * 2**20, gt=0, description="UTF-8 bytes of one document's text.")
    max_line_bytes: int = Field(32 * 2**20, gt=0, description="Bytes of one line of a JSON Lines file.")
    max_expansion: int = Field(
        200, gt=1, description="Decompressed bytes per compressed byte of a file, applied after the first 64 MiB."
    )
    max_file_bytes: int = Field(64 * 2**30, gt=0, description="Decompressed bytes of one file.")
    max_zstd_window_bytes: int = Field(
        2**27,
        ge=2**10,
        le=2**31,
        description="Memory that a zstd file may ask for to be decompressed, in bytes; `zstd --long=31` needs 2 GiB.",
    )
    max_xz_dictionary_bytes: int = Field(
        2**27, ge=2**12, le=2**32, description="Memory that an xz file may ask for to be decompressed, in bytes."
    )
    max_json_depth: int = Field(64, gt=0, description="Nesting depth of a mapped column.")
    max_json_keys: int = Field(256, gt=0, description="Keys of one JSON object in a mapped column.")
    max_warc_record_bytes: int = Field(64 * 2**20, gt=0, description="Payload bytes of one WARC record.")
    max_parser_bytes: int = Field(
        4 * 2**30, gt=0, description="Address space of the child process that parses a Parquet or Arrow file."
    )
    max_document_seconds: int = Field(
        60,
        gt=0,
        description="Seconds of CPU time that reading one document may take: to parse its page, to check it, to fold "
        "it, to tell its language and count its tokens. To be raised with `max_document_bytes`.",
    )
    max_parser_seconds: int = Field(
        600, gt=0, description="Seconds that the child may be silent between two batches before it is ended."
    )


class SourceConfig(Strict):
    """One named corpus."""

    name: Name = Field(description="Unique name; used in every table and report.")
    kind: Kind = Field(description="Origin: web, expert or synthetic. Records cannot override it.")
    paths: tuple[str, ...] = Field(
        min_length=1, description="Files, folders or glob patterns, relative to the configuration file."
    )
    license: str | None = Field(None, max_length=200, description="Licence of records that state none.")
    language: str | None = Field(
        None,
        pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z0-9]+)*$",
        description="Language of records that state none, as metadata; measurement goes by the texts.",
    )
    fields: dict[str, str] = Field(
        default_factory=dict,
        description="Field of the document schema -> column of the corpus; dots reach into objects and JSON strings "
        "(`meta.author`).",
    )
    text_records: Literal["whole_file", "blank_lines"] = Field(
        "whole_file", description="Documents of a text file: the whole file, or what stands between blank lines."
    )
    chat_template: str | None = Field(
        None,
        max_length=1000,
        description='How a message of a chat is written, with `{role}` and `{content}` (`"{role}: {content}\\n"`), '
        "where the text is a list of messages.",
    )
    answers_per_prompt: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Most documents made from one prompt, as the source's owner declares; more give a warning.",
    )
    cut_pages: CutPages = Field(
        "keep",
        description="Pages of which the crawler stored only the beginning (`WARC-Truncated`): `keep` counts them in a "
        "warning, `leave_out` as the rule `truncated` of `filtered`.",
    )
    max_quarantined_fraction: Fraction | None = Field(
        None,
        description="Share of record slots that may be quarantined; more is NO-GO. 0.05 for web, 0.01 for others if "
        "absent.",
    )
    accept_truncated: tuple[Sha256, ...] = Field(
        (), description="SHA-256 of files known to be cut short: their lost tail does not make the verdict NO-GO."
    )

    @property
    def quarantine_limit(self) -> float:
        """The limit in force, as a fraction of record slots."""
        if self.max_quarantined_fraction is not None:
            return self.max_quarantined_fraction
        return 0.05 if self.kind is Kind.WEB else 0.01

    @model_validator(mode="after")
    def _check(self) -> "SourceConfig":
        if self.name in RESERVED_SCOPES:
            raise ValueError(f"the name {self.name!r} is a scope of expectations; choose another")
        unknown = sorted(set(self.fields) - set(MAPPABLE_FIELDS))
        if unknown:
            raise ValueError(f"fields: unknown field {unknown[0]!r}; known: {', '.join(MAPPABLE_FIELDS)}")
        if self.chat_template is not None and "{content}" not in self.chat_template:
            raise ValueError("chat_template: wants {content}, and {role} where roles shall be seen")
        if self.answers_per_prompt is not None and self.kind is not Kind.SYNTHETIC:
            raise ValueError("answers_per_prompt: only a synthetic source has prompts")
        return self


class TokenizerConfig(Strict):
    """The tokenizer of budgets and weights."""

    path: str | None = Field(
        None, description="A Hugging Face `tokenizer.json`; the embedded Llama 2 tokenizer if absent."
    )
