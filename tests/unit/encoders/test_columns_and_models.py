import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from polyculture.encoders.column import embeddings_of_column
from polyculture.encoders.encoder import EncodingStatus
from polyculture.encoders.encoders import ENCODERS
from polyculture.encoders.model_folder import check_model_folder
from polyculture.errors import ConfigError, PolycultureError
from schemas.measure_config import SemanticConfig

ROWS = [[3.0, 4.0], None, [1e30, 0.0], [0.0, -1e-30]]
UNIT = [[0.6, 0.8], [0, 0], [1, 0], [0, -1]]


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.float64(), 2), pa.list_(pa.float32(), 2)]
)
def test_a_column_becomes_unit_rows(kind: pa.DataType) -> None:
    for column in (
        pa.array(ROWS, kind),
        pa.array([[9.0, 9.0], *ROWS], kind)[1:],
        pa.chunked_array([pa.array(ROWS[:1], kind), pa.array(ROWS[1:], kind)]),
    ):
        found = embeddings_of_column(column)
        np.testing.assert_allclose(found.vectors, np.array(UNIT, np.float32), atol=1e-7)
        assert found.reading.tolist() == [
            EncodingStatus.MEASURED,
            EncodingStatus.EMPTY,
            EncodingStatus.MEASURED,
            EncodingStatus.MEASURED,
        ]
    assert embeddings_of_column(pa.array([[1.0, 1.0]], pa.list_(pa.float16()))).vectors.shape == (1, 2)
    assert embeddings_of_column(pa.array([None], kind), 2).vectors.tolist() == [[0, 0]]
    assert embeddings_of_column(pa.array([], kind), 7).vectors.shape == (0, 7)


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (pa.array([[1.0], [1.0, 2.0]]), "row 1 has 2 numbers, 1 are needed"),
        (pa.array([None, [1.0, 1.0], [np.nan, 1.0]]), "row 2 .* not finite"),
        (pa.array([[np.inf, 1.0]]), "row 0 .* not finite"),
        (pa.array([[1.0, 1.0], [0.0, 0.0]]), "row 1 is all zeros"),
        (pa.array([None, [1.0, 1.0], [1.0, None]]), "row 2 holds a null"),
        (pa.array([[], []], pa.list_(pa.float32())), "row 0 has 0 numbers"),
        (pa.array([["a"]]), "lists of floats"),
        (pa.array([[1]]), "lists of floats"),
        (pa.array(["text"]), "lists of floats"),
    ],
)
def test_a_column_that_is_not_of_embeddings_is_refused(column: pa.Array, says: str) -> None:
    with pytest.raises(PolycultureError, match=says):
        embeddings_of_column(column)
    with pytest.raises(PolycultureError, match="row 0 has 2 numbers, 3 are needed"):
        embeddings_of_column(pa.array([[1.0, 2.0]]), 3)


def model_folder(path: Path) -> Path:
    """The shape of a model folder, without a model."""
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    (path / "1_Pooling").mkdir(parents=True)
    (path / "modules.json").write_text(json.dumps(modules))
    (path / "config.json").write_text(json.dumps({"hidden_act": "gelu"}))
    (path / "1_Pooling" / "config.json").write_text("{}")
    (path / "model.safetensors").write_bytes(b"")
    return path


def edit(path: Path, change: object) -> None:
    path.write_text(json.dumps(change))


def test_a_plain_model_folder_passes(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model")
    check_model_folder(folder)
    (folder / "pytorch_model.bin").write_bytes(b"")  # beside safetensors it is never read
    newer = [{"path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"}]
    edit(folder / "modules.json", newer)
    check_model_folder(folder)


@pytest.mark.parametrize(
    "kind",
    [
        "custom.Module",
        "os.system",
        "sentence_transformers.models.Transformer.evil",
        "sentence_transformers.util.import_from_string",
        "transformers_modules.x.Transformer",
        "sentence_transformers",
        None,
    ],
)
def test_a_class_from_elsewhere_is_refused(tmp_path: Path, kind: str | None) -> None:
    folder = model_folder(tmp_path / "model")
    edit(folder / "modules.json", [{"idx": 0, "path": "", "type": kind}])
    with pytest.raises(ConfigError, match="only sentence-transformers' own"):
        ENCODERS["sentence_transformers"](folder, SemanticConfig(languages=("en",)))


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("config.json", {"auto_map": {"AutoModel": "modeling.X"}}, "auto_map"),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["t.T", None]}}, "auto_map"),
        ("config.json", {"text_config": [{"auto_map": {"AutoModel": "modeling.X"}}]}, "auto_map"),
        ("1_Pooling/config.json", {"activation_function": "os.system"}, "os.system"),
        ("modules.json", [{"path": "../other", "type": "sentence_transformers.models.Pooling"}], "outside"),
        ("modules.json", {}, "list of modules"),
    ],
)
def test_settings_that_lead_to_code_are_refused(tmp_path: Path, file: str, content: object, says: str) -> None:
    folder = model_folder(tmp_path / "model")
    edit(folder / file, content)
    with pytest.raises(ConfigError, match=says):
        check_model_folder(folder)


def test_weights_in_a_pickle_are_refused(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model")
    (folder / "1_Pooling" / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ConfigError, match="save the model as safetensors"):
        check_model_folder(folder)


ENGLISH = SemanticConfig(languages=("en",))


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = ENCODERS["sentence_transformers"]
    with pytest.raises(ConfigError, match="`path`"):
        make(None, ENGLISH)
    with pytest.raises(ConfigError, match=r"no modules\.json"):
        make(tmp_path, ENGLISH)
    folder = model_folder(tmp_path / "model")
    with pytest.raises(ConfigError, match="`languages`"):
        make(folder, SemanticConfig())
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ConfigError, match=r"polyculture\[encoders\]"):
        make(folder, ENGLISH)
