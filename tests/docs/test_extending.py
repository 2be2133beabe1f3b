"""docs/extending.md: its examples work when they are added as it says, and its lists of files are exact."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pages import page_of, python_examples, section_of
from tests.support.processes import ROOT

PAGE = page_of("extending.md")
TREES = ("polyculture", "schemas", "tests", "docs")

READ = """
from pathlib import Path
from polyculture.sources.files import find_inputs
from polyculture.sources.read import read_file
from polyculture.sources.record import FileNotes
from schemas.documents import Kind
from schemas.source_config import LimitsConfig, SourceConfig
Path("cards.txt").write_text("====\\none\\n====\\ntwo\\n")
source, notes = SourceConfig(name="s", kind=Kind.WEB, paths=("cards.txt",)), FileNotes()
[file] = find_inputs(source, Path()).files
texts = [slot.values["text"] for slot in read_file(file, source, LimitsConfig(), notes)]
assert (texts, notes.format) == (["one\\n", "two\\n"], "cards"), (texts, notes)
"""
KNOW = """
from pathlib import Path
import pyarrow as pa
from polyculture.identity import STEPS, step_sha256
from polyculture.signals.attributes import values_of, write_attributes
from polyculture.signals.signal import SignalSettings
from polyculture.storage.files import map_arrow_file, write_arrow_file
from schemas.measure_config import MeasureConfig
texts = pa.table({"text": pa.array(["One TWO", "", "x Y"], pa.large_string())})
assert values_of("capitals", texts)["capitals"].tolist() == [4, 0, 1]
write_arrow_file(Path("d.arrow"), texts)
settings = SignalSettings(MeasureConfig(semantic=None))
assert write_attributes(Path("d.arrow"), {"capitals": Path("c.arrow")}, settings) == 3
assert map_arrow_file(Path("c.arrow"))["capitals"].to_pylist() == [4, 0, 1]
assert "signal capitals" in STEPS and step_sha256("signal capitals") != step_sha256("signal lexical")
"""
LOOK = """
import numpy as np
from polyculture.measure.lenses.lenses import LENS_SIGNALS, LENSES
from schemas.config import CurationConfig
from schemas.measures import Lens
class Made:
    def attribute(self, signal, column):
        return {("lexical", "words"): np.array([7, 3, 7, 9])}[signal, column]
found = LENSES[Lens.LENGTH].build(Made())
assert found.species.tolist() == [1, 0, 1, 2] and found.applies.all()
assert LENS_SIGNALS == ("lexical", "template")
assert set(LENSES) == set(Lens) and len(LENSES[Lens.LENGTH].left_out) == 3
source = {"name": "s", "kind": "web", "paths": ["x"]}
bound = {"lens": "length", "metric": "distinct_fraction", "scope": "all", "at_least": 0.1}
CurationConfig.model_validate({"name": "n", "sources": [source], "gate": {"expectations": [bound]}})
"""
MEASURE = """
import numpy as np
from polyculture.measure.probes.estimators import Scope, Stratum
from polyculture.measure.probes.metrics import METRICS
from schemas.measures import Metric
from schemas.profile import ScopeProfile
scope = Scope.of_light([Stratum.of_light(np.array([2, 2, 4, 4, 4, 4]), 6)])
found = METRICS[Metric.HILL_3](scope, 0.01)
wanted = (sum((m / 6) ** 2 for m in (2, 2, 4, 4, 4, 4)) / 6) ** -0.5
assert found.low <= found.value <= found.high and abs(found.value - wanted) < 1e-9, (found, wanted)
assert "hill_3" in ScopeProfile.model_fields
"""

# heading -> (edits: file, what stands there, what is put in its place), what proves it
Edits = list[tuple[str, str, str]]
TRIALS: dict[str, tuple[Edits, list[str]]] = {
    "A reader": (
        [
            ("polyculture/sources/cards.py", "", "{code}"),
            (
                "polyculture/sources/readers.py",
                "from polyculture.sources.html",
                "from polyculture.sources.cards import read_cards\nfrom polyculture.sources.html",
            ),
            ("polyculture/sources/readers.py", '    "html":', '    "cards": read_cards,\n    "html":'),
            (
                "polyculture/sources/sniff.py",
                "    if _WARC.match(head) or",
                '    if head.startswith(b"====\\n"):\n        return "cards"\n    if _WARC.match(head) or',
            ),
        ],
        ["-c", READ],
    ),
    "A filter": (
        [
            ("polyculture/filters/too_short.py", "", "{code}"),
            (
                "polyculture/filters/registry.py",
                "from schemas.config",
                "from polyculture.filters.too_short import TOO_SHORT\nfrom schemas.config",
            ),
            (
                "polyculture/filters/registry.py",
                '    "license": LICENSES,\n',
                '    "license": LICENSES,\n    "too_short": TOO_SHORT,\n',
            ),
            (
                "tests/unit/filters/test_filters.py",
                '    "license": ({',
                '    "too_short": ({"filters": {"too_short": {"characters": 9}}}, lambda row: row["characters"] < 9),\n'
                '    "license": ({',
            ),
        ],
        ["-m", "pytest", "-q", "tests/unit/filters/test_filters.py", "-k", "loop"],
    ),
    "A signal": (
        [
            ("polyculture/signals/capitals.py", "", "{code}"),
            ("polyculture/signals/signals.py", "signals import embedding", "signals import capitals, embedding"),
            ("polyculture/signals/signals.py", '    "embedding"', '    "capitals": capitals.SIGNAL,\n    "embedding"'),
        ],
        ["-c", KNOW],
    ),
    "A lens": (
        [
            ("polyculture/measure/lenses/length.py", "", "{code}"),
            ("polyculture/measure/lenses/lenses.py", "import exact, near,", "import exact, length, near,"),
            (
                "polyculture/measure/lenses/lenses.py",
                "    Lens.SEED: seed",
                "    Lens.LENGTH: length.LENS,\n    Lens.SEED: seed",
            ),
            ("schemas/measures.py", '    SEED = "seed"\n', '    LENGTH = "length"\n    SEED = "seed"\n'),
        ],
        ["-c", LOOK],
    ),
    "A metric": (
        [
            ("polyculture/measure/probes/metrics.py", "def scale_surprise", "{code}\n\ndef scale_surprise"),
            (
                "polyculture/measure/probes/metrics.py",
                "    Metric.HILL_2: hill_2,\n",
                "    Metric.HILL_2: hill_2,\n    Metric.HILL_3: hill_3,\n",
            ),
            ("schemas/measures.py", '    HILL_2 = "hill_2"\n', '    HILL_2 = "hill_2"\n    HILL_3 = "hill_3"\n'),
            (
                "schemas/profile.py",
                "    scale_surprise: Estimate\n",
                "    scale_surprise: Estimate\n    hill_3: Estimate\n",
            ),
        ],
        ["-c", MEASURE],
    ),
}


def listed(heading: str) -> set[str]:
    """Files that a section says to touch."""
    return set(re.findall(r"^- `([\w/.]+)`", section_of(PAGE, heading), re.MULTILINE))


def test_every_section_is_tried() -> None:
    assert re.findall(r"^## (.*)$", PAGE, re.MULTILINE) == list(TRIALS)


@pytest.mark.parametrize("heading", TRIALS)
def test_the_files_of_a_section_are_all_that_is_touched_and_the_example_works(heading: str, tmp_path: Path) -> None:
    edits, proof = TRIALS[heading]
    assert {file for file, _, _ in edits} == listed(heading)
    for name in TREES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "cli"):
        (tmp_path / name).symlink_to(ROOT / name)
    [code] = python_examples(section_of(PAGE, heading))
    for file, before, after in edits:
        path = tmp_path / file
        assert path.exists() is bool(before), file
        text = path.read_text() if before else ""
        assert text.count(before) == 1 or not before, (file, before)
        path.write_text(text.replace(before, after.replace("{code}", code)) if before else code)
    done = subprocess.run(
        [sys.executable, *proof], cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, json.dumps(done.stdout[-3000:] + done.stderr[-3000:])
