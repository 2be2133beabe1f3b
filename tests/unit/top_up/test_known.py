from pathlib import Path

import numpy as np
import pyarrow as pa

from polyculture.deduplication.search import Workplace
from polyculture.storage.files import write_arrow_file
from polyculture.text.canonical import canonical_text
from polyculture.text.texts import as_texts
from polyculture.top_up.known import find_known, index_run
from schemas.dedupe_config import NearConfig
from tests.support.corpora import unique_texts


def test_only_candidates_with_a_twin_in_the_run_are_known(tmp_path: Path) -> None:
    held = [*unique_texts(200, 1), "???", unique_texts(1, 1)[0]]  # a document that the run repeats
    near = [" ".join([*text.split()[:-1], "changed"]) for text in held[10:20]]
    among_themselves = " ".join([*unique_texts(1, 2)[0].split()[:-1], "changed"])
    candidates = [*unique_texts(50, 2), among_themselves, *near, held[3].upper(), "? ? ?", "???", "other"]
    path = tmp_path / "held.arrow"
    table = pa.table(
        {
            "document_id": [f"held:{i}" for i in range(len(held))],
            "file": ["a"] * len(held),
            "position": range(len(held)),
            "text": pa.array(held, pa.large_string()),
            "canonical": pa.array(map(canonical_text, held), pa.large_string()),
        }
    )
    write_arrow_file(path, table)
    config, workplace = NearConfig(), Workplace(tmp_path / "work", 2)
    index_run([path], tmp_path / "index", config, 7, workplace)
    texts = as_texts(pa.array(map(canonical_text, candidates), pa.large_string()), is_canonical=True)
    found = find_known(texts, tmp_path / "index", config, 7, workplace)
    twins = {i: found.ids[twin] for i, twin in enumerate(found.twin) if twin >= 0}
    expected = {51 + i: f"held:{10 + i}" for i in range(10)} | {61: "held:3", 63: "held:200"}
    assert twins == expected
    assert found.is_known.sum() == len(expected)
    assert (found.similarity[51:61] >= 0.8).all()
    assert (found.similarity[51:61] < 1).all()
    assert found.similarity[[61, 63]].tolist() == [1, 1]
    assert not found.similarity[np.setdiff1d(np.arange(len(candidates)), list(expected))].any()
