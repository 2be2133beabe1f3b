"""A step's key changes with what its bytes depend on, and with nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from polyculture.identity import DECISIVE, STEPS, STEPS_OF
from polyculture.job import READ_BY
from polyculture.storage.code import followed, imported_names, packages_of
from schemas.source_config import SourceConfig
from tests.support.processes import ROOT

STANDARD = frozenset(sys.stdlib_module_names)
# Imported where bytes are decided, and deciding none of them.
SETTLED_ELSEWHERE = {
    "datasets": "an example in the card that is written beside the shards",
    "filelock": "who may write",
    "pydantic": "checks values, and writes them as JSON",
    "yaml": "the configuration is digested as values",
}
# Rooms that no step's bytes depend on: they judge, show, or hand on what is written.
SHOWING = {"api", "export", "gate", "inspect", "publish", "report", "takedown", "trial"}
KEYS = (
    "from polyculture.identity import STEPS, step_sha256 as k; import json; print(json.dumps({n: k(n) for n in STEPS}))"
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source, to be changed."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("polyculture", "schemas"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.nb?"))
    return folder


def keys(folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", KEYS], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def changed(checkout: Path, file: str) -> set[str]:
    """Steps whose digests change with a line in a file."""
    import json

    before, path = json.loads(keys(checkout)), checkout / file
    text = path.read_text()
    path.write_text(text + "\n# Another line.\n")
    try:
        after = json.loads(keys(checkout))
    finally:
        path.write_text(text)
    return {name for name in before if before[name] != after[name]}


def test_a_change_in_the_report_leaves_every_key_of_a_run_alone(checkout: Path) -> None:
    assert changed(checkout, "polyculture/report/render.py") == set()
    assert changed(checkout, "polyculture/report/template.html.j2") == set()
    assert changed(checkout, "polyculture/gate/judge.py") <= {"pilot"}  # a pilot is judged in the same step


def test_a_change_in_how_text_is_folded_changes_what_is_read_and_all_that_follows(checkout: Path) -> None:
    found = changed(checkout, "polyculture/text/fold.py")
    assert {"ingest", "deduplicate", "signal lexical", "canary", "measure"} <= found


def test_a_change_in_a_signal_changes_its_own_attributes_and_no_other(checkout: Path) -> None:
    found = changed(checkout, "polyculture/signals/template.py")
    assert "signal template" in found
    assert not {"ingest", "signal embedding", "signal lexical", "deduplicate"} & found


def test_the_child_that_reads_columnar_files_counts_as_reading(checkout: Path) -> None:
    assert "ingest" in changed(checkout, "polyculture/sources/isolated.py")


def test_what_reads_documents_follows_neither_measurement_nor_mixture_nor_gate() -> None:
    rooms = {module.split(".")[1] for module in followed(STEPS["ingest"].modules) if "." in module}
    assert not rooms & (SHOWING | {"measure", "mixture", "evidence", "steps", "gate_config", "mixture_config"})


def test_every_module_decides_the_bytes_of_some_step_or_is_of_a_room_that_shows() -> None:
    names = {name for names in STEPS_OF.values() for name in names}
    assert names == set(STEPS)
    known = {module for step in STEPS.values() for module in (*followed(step.modules), *step.glue)}
    for path in sorted((ROOT / "polyculture").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        module = ".".join(part for part in parts if part != "__init__")
        room = parts[1] if len(parts) > 2 else ""
        if path.name != "__init__.py" and room and room not in SHOWING:
            assert module in known or module in LATER, module


def test_every_setting_of_a_source_decides_what_is_read_or_is_known_not_to() -> None:
    judged = {"answers_per_prompt", "max_quarantined_fraction", "accept_truncated"}  # by gate and verdict
    assert set(SourceConfig.model_fields) == READ_BY | judged | {"paths"}


# Decide no bytes of a run directory themselves: what finds, opens, orders, shows or answers for a run.
LATER = {
    "polyculture.compute.in_process",
    "polyculture.compute.local",
    "polyculture.deduplication.outcome",
    "polyculture.deduplication.request",
    "polyculture.deduplication.spool",
    "polyculture.deduplication.standalone",
    "polyculture.encoders.fit",
    "polyculture.mixture.plan.plan_file",
    "polyculture.mixture.plan.plan_run",
    "polyculture.mixture.plan.run_ledger",
    "polyculture.shards.read",
    *(f"polyculture.steps.jobs.{name}" for name in ("audit", "curate", "parts", "pilot", "top_up")),
    "polyculture.steps.journal",
    "polyculture.steps.open",
    "polyculture.steps.publish",
    "polyculture.steps.session",
    "polyculture.top_up.candidates",
}


def test_every_library_that_a_step_imports_decides_bytes_or_is_known_not_to() -> None:
    modules = {module for step in STEPS.values() for module in followed(step.modules)}
    others = packages_of(modules) - STANDARD - set(DECISIVE) - set(SETTLED_ELSEWHERE)
    assert others == {"__future__"} - STANDARD


def test_imports_are_found_however_they_are_written() -> None:
    source = (
        "from a.b import (\n    c,  # why\n    d as e,\n)\nimport f.g as h, i\n"
        "if TYPE_CHECKING:  # for them alone\n    from x import y\n\n    from z import w\n\nvalue = 1\n"
        "def late():\n    from j import k\n"
    )
    assert set(imported_names(source)) == {"a.b", "a.b.c", "a.b.d", "f.g", "i", "j", "j.k"}
