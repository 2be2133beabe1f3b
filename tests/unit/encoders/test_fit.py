"""A background that is fitted on the shards of a run: what the embedded encoder then covers."""

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pytest

from polyculture.encoders.embedded import EmbeddedEncoder
from polyculture.encoders.encoder import EncodingStatus
from polyculture.encoders.fit import fit_on_shards
from polyculture.errors import ConfigError
from polyculture.text.language import CODE, SYMBOLS, identify_language

# Two languages that the shipped background does not know: subjects, verbs, objects, places.
PARTS = {
    "fi": (
        ["Vanha kalastaja", "Nuori opettaja", "Metsän karhu", "Kylän seppä", "Laivan kapteeni"],
        ["näki eilen", "löysi aamulla", "osti halvalla", "unohti kokonaan", "korjasi huolella", "myi viime viikolla"],
        ["suuren veneen", "uuden talon", "kauniin laulun", "pitkän kirjeen", "vanhan kellon", "lämpimän takin"],
        ["järven rannalla", "kaupungin torilla", "koulun pihalla", "tehtaan portilla", "kirkon edessä"],
    ),
    "hu": (
        ["Az öreg halász", "A fiatal tanító", "Az erdő medvéje", "A falu kovácsa", "A hajó kapitánya"],
        ["tegnap látta", "reggel megtalálta", "olcsón megvette", "egészen elfelejtette", "gondosan megjavította"],
        ["a nagy csónakot", "az új házat", "a szép éneket", "a hosszú levelet", "a régi órát", "a meleg kabátot"],
        ["a tó partján", "a város piacán", "az iskola udvarán", "a gyár kapujában", "a templom előtt"],
    ),
}


def texts_in(language: str, count: int, seed: int) -> list[str]:
    generator = random.Random(seed)
    return [
        " ".join(" ".join(map(generator.choice, PARTS[language])) + "." for _ in range(generator.randint(2, 4)))
        for _ in range(count)
    ]


def shard(path: Path, languages: dict[str, int], claim: str | None = None) -> Path:
    """Documents of each language, from two sources."""
    texts = [text for language, count in languages.items() for text in texts_in(language, count, 5)]
    codes = [claim or language for language, count in languages.items() for _ in range(count)]
    sources = [("a", "b")[number % 2] for number in range(len(texts))]
    table = pa.table({"text": texts, "language": codes, "source": sources})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=100)
    return path


def test_languages_with_documents_enough_are_covered_and_centred(tmp_path: Path) -> None:
    assert {identify_language(text) for text in texts_in("fi", 50, 1)} == {"fi"}
    shards = [shard(tmp_path / "1.arrow", {"fi": 300, "hu": 40}), shard(tmp_path / "2.arrow", {"fi": 100})]
    fitted, read = fit_on_shards(shards, most=150)
    assert read == {"fi": 300, "hu": 40}  # 150 of each of two sources
    (tmp_path / "background.safetensors").write_bytes(fitted)
    assert fitted == fit_on_shards(shards, most=150)[0]
    encoder = EmbeddedEncoder(tmp_path / "background.safetensors")
    assert encoder.languages == {"fi"}
    assert set(encoder.likeness) == {"fi"}
    texts = texts_in("fi", 200, 6)
    found = encoder.encode([*texts, *texts_in("hu", 1, 6), "f(x)", "1 + x"], [*["fi"] * 200, "hu", CODE, SYMBOLS])
    assert found.reading.tolist() == [EncodingStatus.MEASURED] * 200 + [EncodingStatus.NOT_COVERED] * 3
    before = encoder.token_means(texts)
    raw, centred = (float(np.median(v @ v.T)) for v in (before, found.vectors[:200]))
    assert abs(centred) < raw / 3  # unrelated documents no longer look alike


def test_what_records_say_of_their_language_does_not_matter(tmp_path: Path) -> None:
    honest, falsified = (shard(tmp_path / f"{claim}.arrow", {"fi": 120}, claim) for claim in (None, "en"))
    assert fit_on_shards([honest]) == fit_on_shards([falsified])


def test_a_corpus_without_documents_enough_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no language has 100 documents"):
        fit_on_shards([shard(tmp_path / "1.arrow", {"fi": 20})])
    with pytest.raises(ConfigError, match="no language has"):
        fit_on_shards([])
