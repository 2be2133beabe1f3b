"""docs/python.md and the notebook: every example runs, and every public name is documented."""

import ast
import inspect
import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

import polyculture
from tests.support.corpora import unique_texts, write_jsonl_gz
from tests.support.make_run import small_run
from tests.support.pages import page_of, python_examples
from tests.support.processes import ROOT

PAGE = page_of("python.md")
NOTEBOOK = ROOT / "examples" / "explore_a_run.ipynb"
EXAMPLES = python_examples(PAGE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the page assumes it: a finished run in `runs/demo-curated`, and files in `data`."""
    made = tmp_path_factory.mktemp("page")
    small_run(made)
    (made / "data").mkdir()
    write_jsonl_gz(made / "data" / "a.jsonl.gz", unique_texts(5, 1))
    write_jsonl_gz(made / "data" / "b.jsonl.gz", unique_texts(6, 1))
    return made


def run_example(code: str, names: dict[str, Any]) -> Any:
    """Run some code as a notebook does; the value of its last line, if that is an expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<example>", "exec"), names)  # noqa: S102 -- our own page
    return eval(compile(ast.Expression(last.value), "<example>", "eval"), names) if last else None  # noqa: S307


def test_every_example_of_the_page_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    printed = []
    for example in EXAMPLES:
        with redirect_stdout(io.StringIO()) as out:
            run_example(example, names)
        printed.append(out.getvalue())
    assert len(EXAMPLES) > 12
    assert printed[0].startswith("Run demo-curated: ")
    assert "['doc-1']" in next(text for text, code in zip(printed, EXAMPLES, strict=True) if "MinHashLSH" in code)
    assert (folder / "plan.json").is_file()


def test_every_cell_of_the_notebook_runs_and_shows_something(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    assert len(cells) > 7
    for cell in cells:
        shown = run_example("".join(cell["source"]), names)
        assert "<table" in shown._repr_html_(), cell["id"]


def test_the_notebook_is_valid_small_and_without_outputs_or_paths() -> None:
    text = NOTEBOOK.read_text()
    found = json.loads(text)
    assert set(found) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in found["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in found["cells"]:
        code = {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        assert set(cell) == {"cell_type", "id", "metadata", "source"} | code
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", cell["id"])
        assert cell["metadata"] == {}
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
        assert all(line.endswith("\n") for line in cell["source"][:-1])
    assert len(text) < 10_000
    assert not re.search(r"/(home|root|tmp|work|Users)\b", text)


def test_every_public_name_is_documented() -> None:
    missing = [name for name in polyculture.__all__ if not re.search(rf"\b{name}\b", PAGE)]
    assert missing == []


@pytest.mark.parametrize(
    "kind",
    [
        polyculture.Run,
        polyculture.Deduplicated,
        polyculture.Signatures,
        polyculture.WhatIfResult,
        polyculture.PlanResult,
    ],
)
def test_every_public_method_is_documented_and_described(kind: type) -> None:
    members = {name: found for name, found in vars(kind).items() if not name.startswith("_")}
    names = {*members, *getattr(kind, "__dataclass_fields__", {})}
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", PAGE)] == []
    for name, found in members.items():
        if callable(found) or isinstance(found, property):
            assert inspect.getdoc(found), name


def test_every_method_of_a_run_has_a_heading_and_an_example() -> None:
    methods = [name for name, found in vars(polyculture.Run).items() if callable(found) and not name.startswith("_")]
    for name in methods:
        section = PAGE.partition(f"### {name}()\n")[2].partition("\n#")[0]
        assert f"run.{name}(" in "".join(python_examples(section)), name
