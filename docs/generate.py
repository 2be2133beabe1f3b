"""`python -m docs.generate`: write what models, schemas and import contracts say into docs/."""

from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docs.house import draw
from schemas.config import CurationConfig
from schemas.documents import DOCUMENT_FIELDS, Kind
from schemas.filtered import FILTERED_FIELDS

FOLDER = Path(__file__).resolve().parent
INTRODUCTION = """# Configuration

One YAML file describes a run. Unknown keys, aliases, tags and duplicate keys are refused, and everything is checked
before the first record is read. Paths are relative to the file. `configs/demo_curated.yaml` is a complete example.

This page is generated from the models behind `schemas/config.py` (`make docs`); a test keeps it true.
"""


def configuration() -> str:
    """The page on the configuration."""
    return INTRODUCTION + "".join(_section(model, place) for model, place in _models(CurationConfig, ""))


def documents() -> str:
    """The page on the DOCUMENT schema."""
    lines = [
        "# The document schema\n",
        "Columns of every shard, in order (`schemas/documents.py`). A source's `fields:` may map any column marked",
        "*mappable*, and `id`, the record's own id. This page is generated (`make docs`); a test keeps it true.\n",
        "| column | type | says something about | mappable | holds |",
        "|---|---|---|---|---|",
    ]
    for field in DOCUMENT_FIELDS:
        kinds = "all" if len(field.kinds) == 3 else ", ".join(sorted(field.kinds))
        required = "" if field.is_required else ", nullable"
        mappable = "yes" if field.is_mappable else "no"
        lines.append(f"| `{field.name}` | {field.type}{required} | {kinds} | {mappable} | {field.description} |")
    lines += [
        "\n## What was filtered\n",
        "Columns of `filtered/SOURCE.parquet` (`schemas/filtered.py`): a row for each document that a filter took out.",
        "",
        "| column | type | holds |",
        "|---|---|---|",
        *(f"| `{column.name}` | {column.type} | {column.description} |" for column in FILTERED_FIELDS),
    ]
    return "\n".join(lines) + "\n"


def _models(model: type[BaseModel], place: str) -> Iterator[tuple[type[BaseModel], str]]:
    """The model and those inside it, outermost first, with the key that holds each."""
    yield model, place
    for name, field in model.model_fields.items():
        inner = _inner(field.annotation)
        if inner is not None:
            many = (
                "[]"
                if get_origin(field.annotation) is tuple
                else (".KIND" if get_args(field.annotation)[0] is Kind else ".NAME")
                if get_origin(field.annotation) is dict
                else ""
            )
            yield from _models(inner, f"{place}.{name}{many}".removeprefix("."))


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_inner(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not None), None)


def _section(model: type[BaseModel], place: str) -> str:
    title = f"`{place}`" if place else "Top level"
    summary = _summary(model)
    rows = [
        f"| `{name}` | {_type(field)} | {_default(field)} | {field.description or _summary(_inner(field.annotation))} |"
        for name, field in model.model_fields.items()
    ]
    return (
        "\n".join([f"\n## {title}", summary, "", "| key | type | default | meaning |", "|---|---|---|---|", *rows])
        + "\n"
    )


def _summary(model: type[BaseModel] | None) -> str:
    """The first line of a model's description."""
    return ((model.__doc__ if model is not None else None) or "").strip().split("\n")[0]


def _type(field: FieldInfo) -> str:
    return _type_name(field.annotation).replace("|", "\\|")


def _type_name(annotation: Any) -> str:  # noqa: PLR0911 -- one return per kind of type
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " or ".join(_type_name(argument) for argument in arguments if argument is not type(None))
    if origin is tuple:
        return f"list of {_type_name(arguments[0])}"
    if origin is dict:
        is_nested = get_origin(arguments[1]) is dict
        return f"{_type_name(arguments[0])} to {'settings' if is_nested else _type_name(arguments[1])}"
    if hasattr(annotation, "__metadata__"):
        return _type_name(arguments[0])
    if origin is not None:
        return ", ".join(f"`{argument}`" for argument in arguments)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    members = getattr(annotation, "__members__", None)
    if members:
        return ", ".join(f"`{member.value}`" for member in members.values())
    return {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"}.get(
        annotation.__name__, annotation.__name__
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel) or (isinstance(value, tuple) and value and isinstance(value[0], BaseModel)):
        return "see below"
    if value in (None, (), {}):
        return "none"
    if isinstance(value, tuple):
        return "`[" + ", ".join(map(str, value)) + "]`"
    return f"`{value:,}`".replace(",", "_") if isinstance(value, int) and value >= 10_000 else f"`{value}`"


PAGES = {"configuration.md": configuration, "documents.md": documents, "images/house.svg": draw}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page())
