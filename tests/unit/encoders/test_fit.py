"""A background that is fitted on the shards of a run: what the embedded encoder then covers."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pytest

from polyculture.encoders.embedded import EmbeddedEncoder
from polyculture.encoders.encoder import EncodingStatus
from polyculture.encoders.fit import fit_on_shards
from polyculture.errors import ConfigError
from tests.support.topics import varied_texts


def shard(path: Path, languages: dict[str, int]) -> Path:
    """Documents of each language, from two sources."""
    texts, codes = varied_texts(sum(languages.values()), 5), [c for c, n in languages.items() for _ in range(n)]
    sources = [("a", "b")[number % 2] for number in range(len(texts))]
    table = pa.table({"text": texts, "language": codes, "source": sources})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=100)
    return path


def test_languages_with_documents_enough_are_covered_and_centred(tmp_path: Path) -> None:
    shards = [shard(tmp_path / "1.arrow", {"eo": 300, "la": 40}), shard(tmp_path / "2.arrow", {"eo": 100})]
    fitted, read = fit_on_shards(shards, most=150)
    assert read == {"eo": 300, "la": 40}  # 150 of each of two sources
    (tmp_path / "background.safetensors").write_bytes(fitted)
    assert fitted == fit_on_shards(shards, most=150)[0]
    encoder = EmbeddedEncoder(tmp_path / "background.safetensors")
    assert encoder.languages == {"eo"}
    texts = varied_texts(200, 6)
    found = encoder.encode([*texts, texts[0]], [*["eo"] * 200, "la"])
    assert found.reading.tolist() == [EncodingStatus.MEASURED] * 200 + [EncodingStatus.NOT_COVERED]
    before = encoder.token_means(texts)
    raw, centred = (float(np.median(v @ v.T)) for v in (before, found.vectors[:200]))
    assert abs(centred) < raw / 3  # unrelated documents no longer look alike


def test_a_corpus_without_documents_enough_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no language has 100 documents"):
        fit_on_shards([shard(tmp_path / "1.arrow", {"eo": 20})])
    with pytest.raises(ConfigError, match="no language has"):
        fit_on_shards([])
