"""The scripts in examples/ say how they are called."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
HEAVY = {  # what the examples import and a usage message needs not
    "torch/__init__.py": "",
    "torch/utils/__init__.py": "",
    "torch/utils/data.py": "class IterableDataset:\n    def __class_getitem__(cls, _): return cls\n"
    "DataLoader = get_worker_info = None\n",
    "datasets.py": "Dataset = DatasetDict = IterableDataset = None\n",
    "duckdb.py": "",
}


@pytest.mark.parametrize("extra", [-1, 1])
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_with_too_few_or_too_many_arguments_says_its_usage(
    example: Path, extra: int, tmp_path: Path
) -> None:
    for name, code in HEAVY.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(code)
    usage = next(line for line in example.read_text().splitlines() if line.startswith("python examples/"))
    wanted = len(usage.split()) - 2
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    command = [sys.executable, str(example), *["x"] * (wanted + extra)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr.strip() == f"usage: {usage}"
