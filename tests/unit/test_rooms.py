"""The rooms of the core: what each lets others import, what lies loose, and that tests mirror them."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import ROOT

CORE = ROOT / "polyculture"
PRODUCT = ("polyculture", "tasks", "flows", "cli", "bench", "demo", "docs", "examples")
PACKAGES = sorted(
    ".".join(path.parent.relative_to(ROOT).parts) for path in CORE.rglob("__init__.py") if path.parent != CORE
)
LOOSE_AT_MOST = 6


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_room_names_what_others_may_import_and_others_import_nothing_else(package: str) -> None:
    public = importlib.import_module(package).__all__
    assert public == sorted(public)
    folder = ROOT.joinpath(*package.split("."))
    taken = set()
    for path in (path for name in PRODUCT for path in (ROOT / name).rglob("*.py")):
        if folder not in path.parents:
            taken |= {
                name.split(".")[len(package.split("."))] for name in imports(path) if name.startswith(f"{package}.")
            }
    assert taken == set(public)


def test_few_files_lie_loose_in_the_core() -> None:
    assert len([path for path in CORE.glob("*.py") if path.name != "__init__.py"]) <= LOOSE_AT_MOST


def test_every_folder_of_unit_tests_is_a_room() -> None:
    folders = {path.parent.relative_to(ROOT / "tests/unit") for path in (ROOT / "tests/unit").rglob("test_*.py")}
    others = {Path(), Path("bench"), Path("demo"), Path("cli"), Path("tasks")}
    assert [folder for folder in sorted(folders - others) if not (CORE / folder).is_dir()] == []
