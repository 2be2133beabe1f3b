"""The expert corpus holds documented functions of the packages' own code, each with its explanation."""

import ast
from collections import Counter
from pathlib import Path

import orjson
import pytest
import zstandard

from demo import expert
from demo.corpus import package_folder
from polyculture.errors import PolycultureError


def test_every_record_is_a_parsable_function_that_holds_its_explanation(tmp_path: Path) -> None:
    corpus = expert.build(tmp_path, ("networkx",))
    lines = zstandard.ZstdDecompressor().decompress(corpus.path.read_bytes()).splitlines()
    records = [orjson.loads(line) for line in lines]
    assert corpus.documents == len(records) > 500
    assert len({record["id"] for record in records}) == len(records)
    for record in records:
        node = ast.parse(record["text"]).body[0]
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        assert ast.get_docstring(node) == record["rationale"]
        assert len(record["rationale"].split()) >= expert.MIN_WORDS
        assert len(record["text"]) <= expert.MAX_CHARACTERS
        assert record["license"] == "BSD-3-Clause"
        assert record["author"] == "networkx developers"


def test_tests_and_vendored_folders_are_left_out() -> None:
    folder = package_folder("sklearn")
    parts = {part for path in expert.source_files(folder) for part in path.relative_to(folder).parts}
    assert not parts & {"tests", "externals", "conftest.py"}


def test_a_file_under_another_licence_is_left_out() -> None:
    assert (
        package_folder("networkx") / "algorithms" / "bipartite" / "matching.py"
    ).is_file()  # quotes text under CC BY-SA
    assert not any(
        record["module"] == "networkx.algorithms.bipartite.matching" for record in expert.records("networkx")
    )


def test_functions_of_a_module_that_are_called_alike_are_few() -> None:
    alike = Counter(
        (record["module"], expert.first_word(record["id"].rpartition(".")[2])) for record in expert.records("networkx")
    )
    assert len(alike) > 300
    assert max(alike.values()) == expert.MOST_AKIN
    assert expert.first_word("__single_source_path") == "single"


def test_a_missing_package_is_named_together_with_the_cure() -> None:
    with pytest.raises(PolycultureError, match=r"no_such_package.*pip install"):
        package_folder("no_such_package")
