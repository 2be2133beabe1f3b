import inspect
import subprocess
import sys

import pytest

import polyculture
from tests.support.processes import ROOT

HEAVY = {
    "numba",
    "numpy",
    "polars",
    "pyarrow",
    "pydantic",
    "datasketch",
    "jinja2",
    "prefect",
    "typer",
    "pandas",
    "rich",
}


def modules_after(code: str) -> set[str]:
    """Names of the modules that a fresh interpreter holds after some code."""
    program = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not modules_after("import polyculture") & HEAVY


def test_the_public_face_needs_neither_prefect_nor_typer() -> None:
    loaded = modules_after("from polyculture import *")
    assert {"polars", "polyculture.api.run", "polyculture.api.signatures"} <= loaded
    assert not loaded & {"prefect", "typer", "matplotlib", "torch", "pandas"}


def test_every_public_name_is_found_listed_and_described() -> None:
    for name in polyculture.__all__:
        found = getattr(polyculture, name)
        assert inspect.getdoc(found)
    assert set(polyculture.__all__) <= set(dir(polyculture))


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'dedup'; it has .*dedupe"):
        _ = polyculture.dedup  # type: ignore[attr-defined]


def test_dedupe_stays_a_function_when_modules_of_its_package_are_imported() -> None:
    import polyculture.deduplication.engine

    assert len(polyculture.dedupe(["one text", "One  text"]).kept) == 1
    assert polyculture.deduplication.engine.sketch_documents  # type: ignore[attr-defined]
    assert "threshold" in inspect.signature(polyculture.dedupe).parameters
