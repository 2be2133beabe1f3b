"""Embeddings that come with the documents, from a file to what the semantic lens reads."""

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml

from polyculture.configuration import load_config
from polyculture.corpus.ingest import ingest_partition, partition_files
from polyculture.encoders.embeddings import make_encoder
from polyculture.errors import ConfigError, PolycultureError
from polyculture.signals.attributes import write_attributes
from polyculture.signals.signal import SignalSettings
from polyculture.sources.files import find_inputs
from polyculture.storage.files import map_arrow_file
from schemas.config import CurationConfig
from schemas.documents import Kind
from schemas.measure_config import MeasureConfig, SemanticConfig
from schemas.source_config import LimitsConfig, SourceConfig

VECTORS: list[object] = [[3.0, 4.0], None, [0, 0], [1.0, float("nan")], "text", [0.0, -2]]
COLUMN = SemanticConfig(encoder="column", model="made-up@1", dimensions=2)


def embed(folder: Path, name: str) -> list[list[float]]:
    """Ingest a file and embed its only partition; vectors as numbers, in the order of the file."""
    source = SourceConfig(name="s", kind=Kind.WEB, paths=(name,), fields={"embedding": "vec"})
    (partition,) = partition_files(source, find_inputs(source, folder).files)
    _, (documents, _) = ingest_partition(partition, LimitsConfig(), None, folder, 0)
    settings = SignalSettings(MeasureConfig(semantic=COLUMN))
    assert write_attributes(documents, {"embedding": folder / "out.arrow"}, settings) == 6
    order = np.argsort(map_arrow_file(documents)["position"].to_numpy())
    table = map_arrow_file(folder / "out.arrow").take(pa.array(order))
    vectors: list[list[float]] = (np.array(table["vector"].to_pylist()) / 32767).round(4).tolist()
    assert [reading == 0 for reading in table["reading"].to_pylist()] == [any(vector) for vector in vectors]
    return vectors


def test_a_column_of_json_lines_is_brought_to_length_one_and_what_is_no_vector_is_unmeasured(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"text {i}", "vec": v}) for i, v in enumerate(VECTORS) if v != VECTORS[3]]
    lines.insert(3, json.dumps({"text": "text 3", "vec": [1.0, None]}))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    assert embed(tmp_path, "a.jsonl.gz") == [[0.6, 0.8], [0, 0], [0, 0], [0, 0], [0, 0], [0, -1]]


def test_a_parquet_column_too(tmp_path: Path) -> None:
    vectors = [value if isinstance(value, list) else None for value in VECTORS]
    table = pa.table({"text": [f"text {i}" for i in range(6)], "vec": pa.array(vectors, pa.list_(pa.float32()))})
    pa.parquet.write_table(table, tmp_path / "a.parquet")
    assert embed(tmp_path, "a.parquet") == [[0.6, 0.8], [0, 0], [0, 0], [0, 0], [0, 0], [0, -1]]


def test_another_width_is_an_error_that_names_the_row(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"text {i}", "vec": [1.0] * (2 + (i == 4))}) for i in range(6)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    with pytest.raises(PolycultureError, match=r"record 4 of a\.jsonl"):
        embed(tmp_path, "a.jsonl")


def test_the_configuration_names_model_width_and_column(tmp_path: Path) -> None:
    source: dict[str, object] = {"name": "s", "kind": "web", "paths": ["a.jsonl"], "fields": {"embedding": "vec"}}
    column = {"encoder": "column", "model": "made-up@1", "dimensions": 2}

    def load(fields: dict[str, str], semantic: object) -> CurationConfig:
        path = tmp_path / "config.yaml"
        path.write_text(
            yaml.safe_dump({"name": "n", "sources": [source | {"fields": fields}], "measure": {"semantic": semantic}})
        )
        return load_config(path)

    found = load({"embedding": "vec"}, column).measure.semantic
    assert found is not None
    encoder = make_encoder(found, None)
    assert (encoder.name, encoder.dimensions, encoder.languages) == ("made-up@1", 2, {"*"})
    with pytest.raises(ConfigError, match="no source maps"):
        load({}, column)
    with pytest.raises(ConfigError, match="maps `embedding`"):
        load({"embedding": "vec"}, None)
    with pytest.raises(ConfigError, match="needs `model`"):
        load({"embedding": "vec"}, {"encoder": "column"})
    with pytest.raises(ConfigError, match="belong to"):
        load({}, {"dimensions": 3})
