import hashlib
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from polyculture.encoders import embedded as module
from polyculture.encoders.background import (
    background_bytes,
    background_from,
    fit_background,
    load_background,
    shipped_background_path,
)
from polyculture.encoders.chunks import CHUNK_CHARACTERS, MOST_CHARACTERS, chunks_of, share_read
from polyculture.encoders.embedded import WEIGHTS_SHA256, EmbeddedEncoder, embedded_weights_path
from polyculture.encoders.encoder import EncodingStatus
from polyculture.encoders.encoders import ENCODERS
from polyculture.encoders.languages import is_traditional, language_key
from polyculture.encoders.tensors import read_tensors, write_tensors
from polyculture.errors import ConfigError
from polyculture.text.tokenizer import embedded_tokenizer_path
from schemas.measure_config import SemanticConfig

TEXTS = {
    "A train leaves the station at noon and travels east at sixty miles an hour.": "en",
    "The quick brown fox jumps over the lazy dog, again and again.": "en",
    "Die Katze schläft den ganzen Tag auf dem warmen Sofa.": "de",
    "梵語的學術研究，由德國學者開創，後來也要歸功於對梵語的研究。": "zh",
    "def add(a, b):\n    return a + b\n": "code",
    "O gato dorme no sofá o dia inteiro.": "pt-BR",
    "the words of a long document go on and on until a chunk is full " * 200: "en",
}


@pytest.fixture(scope="module")
def encoder() -> EmbeddedEncoder:
    return EmbeddedEncoder()


def by_the_recipe(text: str, key: str) -> np.ndarray:
    """The three steps in plain numpy, in float64."""
    table = read_tensors(embedded_weights_path().read_bytes(), "table")[0]["embedding.weight"].astype(np.float64)
    tokenizer = Tokenizer.from_file(str(embedded_tokenizer_path()))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    background = load_background(shipped_background_path())
    vector = table[tokenizer.encode(text, add_special_tokens=False).ids].mean(axis=0)
    vector = vector / np.linalg.norm(vector) - background.means[key]
    vector = vector / np.linalg.norm(vector)
    vector = vector - background.components.T.astype(np.float64) @ (background.components.astype(np.float64) @ vector)
    return vector / np.linalg.norm(vector)


def test_embeddings_are_those_of_the_recipe(encoder: EmbeddedEncoder) -> None:
    found = encoder.encode(list(TEXTS), list(TEXTS.values()))
    keys = ["en", "en", "de", "zh-hant", "en", "pt_BR", "en"]  # code has the mean of English
    for text, key, vector in zip(TEXTS, keys, found.vectors, strict=True):
        np.testing.assert_allclose(vector, by_the_recipe(text, key), atol=2e-7)
    assert found.vectors.dtype == np.float32
    assert (found.reading == EncodingStatus.MEASURED).all()


def test_a_row_does_not_depend_on_the_other_texts(encoder: EmbeddedEncoder) -> None:
    texts, languages = list(TEXTS) * 100, list(TEXTS.values()) * 100
    together = encoder.encode(texts, languages).vectors
    alone = np.concatenate([encoder.encode([t], [c]).vectors for t, c in TEXTS.items()])
    assert together.tobytes() == np.tile(alone, (100, 1)).tobytes()
    backwards = encoder.encode(texts[::-1], languages[::-1]).vectors[::-1]
    assert together.tobytes() == backwards.tobytes()


def test_a_text_is_read_whole_in_chunks_that_have_its_tokens() -> None:
    words = "a word and then some more words of unequal length, "
    text = words * 2_000
    chunks = chunks_of(text)
    assert " ".join(chunks) == text
    assert max(map(len, chunks)) <= CHUNK_CHARACTERS
    tokenizer = Tokenizer.from_file(str(embedded_tokenizer_path()))
    parts = [token for chunk in chunks for token in tokenizer.encode(chunk, add_special_tokens=False).ids]
    assert parts == tokenizer.encode(text, add_special_tokens=False).ids
    assert (share_read(text), share_read(""), share_read("x" * 9_000)) == (1.0, 0.0, 1.0)
    assert "".join(chunks_of("x" * 9_000)) == "x" * 9_000
    lines = "no-spaces-here\n" * 1_000
    assert "\n".join(chunks_of(lines)) == lines


def test_of_a_very_long_text_evenly_spaced_chunks_are_read(encoder: EmbeddedEncoder) -> None:
    text = "word " * (MOST_CHARACTERS * 3 // 5)
    chunks = chunks_of(text)
    assert len(chunks) == MOST_CHARACTERS // CHUNK_CHARACTERS
    assert 0.33 < share_read(text) < 1 / 3
    found = encoder.encode([text, "A short text of an honest length.", ""], ["en"] * 3)
    assert found.read.tolist() == pytest.approx([share_read(text), 1, 0])


def test_the_end_of_a_text_counts_as_much_as_its_beginning(encoder: EmbeddedEncoder) -> None:
    beginning = "The train leaves the station at noon and travels east. " * 100
    ends = ["A court may set aside the verdict of a jury on appeal. ", "Knead the dough, and bake it in a hot oven. "]
    one, other = encoder.encode([beginning + end * 200 for end in ends], ["en", "en"]).vectors
    assert float(one @ other) < 0.9


def test_what_cannot_be_measured_is_marked_with_its_reason(encoder: EmbeddedEncoder) -> None:
    found = encoder.encode(["", "Guten Tag", "გამარჯობა", "no language"], ["en", "de", "ka", "und"])
    assert found.reading.tolist() == [
        EncodingStatus.EMPTY,
        EncodingStatus.MEASURED,
        EncodingStatus.NOT_COVERED,
        EncodingStatus.NOT_COVERED,
    ]
    assert not found.vectors[[0, 2, 3]].any()
    assert encoder.encode([], []).vectors.shape == (0, 256)
    assert "default" not in encoder.languages


def test_the_encoder_says_who_it_is(encoder: EmbeddedEncoder) -> None:
    assert (encoder.name, encoder.dimensions, len(encoder.languages)) == ("embedded", 256, 35)
    assert encoder.background == hashlib.sha256(shipped_background_path().read_bytes()).hexdigest()
    assert encoder.revision == EmbeddedEncoder().revision
    assert ENCODERS["embedded"](None, SemanticConfig()).revision == encoder.revision
    with pytest.raises(ConfigError, match="leave `languages` out"):
        ENCODERS["embedded"](None, SemanticConfig(languages=("en",)))


def test_other_weights_are_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "l2_supercat_256.safetensors"
    monkeypatch.setattr(module, "embedded_weights_path", lambda: path)
    with pytest.raises(ConfigError, match="reinstall wordllama"):
        EmbeddedEncoder()
    raw = bytearray(embedded_weights_path().read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ConfigError, match=r"not 64b47a2dc493.*constraints"):
        EmbeddedEncoder()


def test_a_background_of_other_weights_is_refused(tmp_path: Path) -> None:
    good = load_background(shipped_background_path())
    other = tmp_path / "other.safetensors"
    other.write_bytes(background_bytes(good.means, good.default, good.components, "0" * 64, {}))
    with pytest.raises(ConfigError, match="fitted for weights 000000000000"):
        EmbeddedEncoder(other)
    with pytest.raises(ConfigError, match="cannot be read"):
        EmbeddedEncoder(tmp_path / "missing")
    other.write_bytes(background_bytes({}, good.default, good.components, WEIGHTS_SHA256, {}))
    with pytest.raises(ConfigError, match="fit it anew"):
        EmbeddedEncoder(other)
    means = {"en": good.means["en"] * np.float32(np.nan)}
    other.write_bytes(background_bytes(means, good.default, good.components, WEIGHTS_SHA256, {}))
    with pytest.raises(ConfigError, match="fit it anew"):
        EmbeddedEncoder(other)


def test_fitting_finds_the_means_and_components_that_made_the_data() -> None:
    generator = np.random.default_rng(1)
    dimensions, documents = 24, 20_000
    directions = np.linalg.qr(generator.normal(size=(dimensions, 5)))[0].T
    means = {"aa": 0.6 * directions[3], "bb": 0.6 * directions[4]}
    keys = generator.choice(["aa", "bb", "cc"], size=documents, p=[0.7, 0.295, 0.005])
    made = np.array([means.get(key, 0 * directions[0]) for key in keys])
    made += generator.normal(size=(documents, 3)) * [0.9, 0.7, 0.5] @ directions[:3]
    made += 0.05 * generator.normal(size=(documents, dimensions))
    unit = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
    unit[:50] = 0
    sources = np.where(np.arange(documents) % 10 == 0, "small", "large").tolist()
    groups = list(zip(keys.tolist(), sources, strict=True))
    background = background_from(fit_background(unit, groups, "digest", least_documents=200), "made")
    assert sorted(background.means) == ["aa", "bb"]
    measured = unit.any(axis=1)
    for key, mean in background.means.items():
        of_sources = [
            unit[measured & (keys == key) & (np.array(sources) == name)].mean(axis=0, dtype=np.float64)
            for name in ("small", "large")
        ]
        np.testing.assert_allclose(mean, np.mean(of_sources, axis=0), atol=1e-7)
        assert mean @ means[key] / np.linalg.norm(mean) / 0.6 > 0.99
    np.testing.assert_allclose(background.default, (background.means["aa"] + background.means["bb"]) / 2, atol=1e-7)
    assert (np.abs((background.components * directions[:3]).sum(axis=1)) > 0.99).all()
    np.testing.assert_allclose(background.components @ background.components.T, np.eye(3), atol=1e-6)
    assert background.encoder == "digest"
    with pytest.raises(ValueError, match="no language"):
        fit_background(unit[:100], groups[:100], "digest")


def test_a_background_fitted_on_token_means_serves_the_encoder(encoder: EmbeddedEncoder, tmp_path: Path) -> None:
    texts = [f"{a} {b} number {n}" for n, a in enumerate(TEXTS) for b in TEXTS]
    path = tmp_path / "own.safetensors"
    path.write_bytes(
        fit_background(encoder.token_means(texts), [("en", "made")] * len(texts), WEIGHTS_SHA256, least_documents=10)
    )
    own = EmbeddedEncoder(path)
    assert own.languages == {"en", "code", "symbols"}
    assert own.background != encoder.background
    assert own.encode(["Guten Tag"], ["de"]).reading[0] == EncodingStatus.NOT_COVERED


@pytest.mark.parametrize(
    ("language", "key"),
    [
        ("pt", "pt_BR"),
        ("pt-br", "pt_BR"),
        ("nn", "no"),
        ("nb", "no"),
        ("no", "no"),
        ("EN_us", "en"),
        ("code", "code"),
        ("hr", "bs"),
        ("ms", "id"),
        ("python", "python"),
        ("zh-TW", "zh-hant"),
        ("zh-Hans", "zh"),
        ("fr-FR", "fr"),
        ("und", "und"),
    ],
)
def test_language_codes_lead_to_keys(language: str, key: str) -> None:
    assert language_key(language, "") == key


def test_traditional_characters_are_told_from_simplified_ones() -> None:
    assert is_traditional("在歐洲，梵語的學術研究，由德國學者開創")
    assert not is_traditional("在欧洲，梵语的学术研究，由德国学者开创")
    assert not is_traditional("no Han at all")
    assert not is_traditional("一二三")  # in both
    assert language_key("zh", "漢語書寫") == "zh-hant"
    assert language_key("ja", "漢語書寫") == "ja"


def test_tensors_are_read_as_they_were_written() -> None:
    arrays = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array([1.5], np.float16)}
    raw = write_tensors(arrays, {"made": "here"})
    found, metadata = read_tensors(raw, "made")
    assert metadata == {"made": "here"}
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
    assert raw == write_tensors(dict(reversed(arrays.items())), {"made": "here"})
    for broken in (b"", raw[:20], raw[:-1], b"\xff" * 40, raw.replace(b"F32", b"X32")):
        with pytest.raises(ConfigError, match="made is not a safetensors file"):
            read_tensors(broken, "made")
