import json
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import ValidationError

from schemas.documents import Kind
from schemas.source_config import SourceConfig
from tests.unit.sources.helpers import Outcome, arrow_file, jsonl, parquet, read_found

MESSAGES = [{"role": "user", "content": "What is {role}?"}, {"role": "critic", "content": "A {content} {0.__class__}."}]
TEXT = "user: What is {role}?\ncritic: A {content} {0.__class__}.\n"


def read_chat(folder: Path, data: bytes, template: str | None = "{role}: {content}\n") -> Outcome:
    (folder / "a").write_bytes(data)
    fields = {"text": "messages"}
    return read_found(
        folder, SourceConfig(name="s", kind=Kind.WEB, paths=("a",), fields=fields, chat_template=template)
    )


FORMATS = {
    "jsonl": jsonl,
    "json": lambda records: json.dumps(records).encode(),
    "parquet": lambda records: parquet(pa.Table.from_pylist(records)),
    "arrow": lambda records: arrow_file(pa.Table.from_pylist(records)),
}


@pytest.mark.parametrize("name", FORMATS)
def test_messages_become_one_text_and_are_no_template_themselves(tmp_path: Path, name: str) -> None:
    found = read_chat(tmp_path, FORMATS[name]([{"id": "a", "messages": MESSAGES}] * 2))
    assert found.texts == [TEXT, TEXT]
    assert found.notes.format == name


@pytest.mark.parametrize("name", FORMATS)
def test_without_a_template_the_rejection_says_how_to_declare_one(tmp_path: Path, name: str) -> None:
    found = read_chat(tmp_path, FORMATS[name]([{"id": "a", "messages": MESSAGES}] * 2), None)
    assert not found.documents
    assert "chat_template" in found.rejections[0].detail


@pytest.mark.parametrize(
    ("message", "text", "warnings"),
    [
        ({"role": "a", "content": [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]}, "a: xy\n", 0),
        ({"role": "a", "content": None, "tool_calls": [{"name": "f"}]}, "a: \n", 1),
        ({"role": "a"}, "a: \n", 1),
        ({"role": "a", "content": [{"type": "image_url", "image_url": "x"}]}, None, 0),
        ({"role": "a", "content": 7}, None, 0),
        ({"role": None, "content": "x"}, None, 0),
        ("a: x", None, 0),
    ],
)
def test_content_of_other_shapes(tmp_path: Path, message: object, text: str | None, warnings: int) -> None:
    found = read_chat(tmp_path, jsonl([{"messages": [message]}, {"messages": MESSAGES}]))
    assert found.texts == ([TEXT] if text is None else [text, TEXT])
    assert found.reasons == ({"text_wrong_type": 1} if text is None else {})
    assert len(found.notes.warnings) == warnings


@pytest.mark.parametrize("template", ["", "{role}", "{content.__class__}"])
def test_a_template_without_content_is_refused(template: str) -> None:
    with pytest.raises(ValidationError, match="content"):
        SourceConfig(name="s", kind=Kind.WEB, paths=("a",), chat_template=template)
