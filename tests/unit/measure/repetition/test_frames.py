"""Frames are what plain Python counts, and see what neither passages nor words see: words that keep their places."""

import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from polyculture.compute.in_process import InProcess
from polyculture.measure.repetition.frame_seeds import FACTORS, MOST_STANDING, PATTERNS
from polyculture.measure.repetition.frames import (
    DrawnFrames,
    FrameCounts,
    FrameTable,
    Stretches,
    framing_words,
    most_stretches,
    stretches_of,
)
from polyculture.measure.repetition.repetition import Workshop, measure_repetition
from polyculture.text.word_sequences import WordSequences, word_sequences
from schemas.documents import Kind
from schemas.policy import NarrowRule
from schemas.repetition import FRAME_DIFFERENT, FRAME_WORDS, FRAMED_BY
from tests.unit.measure.repetition.corpora import Text, configured, subject_of

MASK = 2**64 - 1
VOCABULARY = [f"w{number}" for number in range(4_000)]


def filled(frame: Sequence[str | None], generator: random.Random) -> str:
    return " ".join(generator.choice(VOCABULARY) if word is None else word for word in frame)


def made_frame(words: int, kept: float, generator: random.Random) -> list[str | None]:
    return [generator.choice(VOCABULARY) if generator.random() < kept else None for _ in range(words)]


def fresh(count: int, words: int, generator: random.Random) -> list[str]:
    return [" ".join(generator.choices(VOCABULARY, k=words)) for _ in range(count)]


def words_of(texts: Sequence[str]) -> WordSequences:
    return word_sequences(pa.array(texts, pa.large_string()))


def drawn_frames(texts: Sequence[str]) -> DrawnFrames:
    words = words_of(texts)
    order = np.random.default_rng(1).permutation(len(texts)).astype(np.uint64)
    return DrawnFrames.of(stretches_of(words, 10), order)


def counted(drawn: DrawnFrames, texts: Sequence[str], folder: Path) -> np.ndarray:
    drawn.table.write(folder)
    counts = FrameCounts(len(drawn.table))
    counts.add(words_of(texts), FrameTable.map(folder))
    numbers, documents = counts.take()
    have = np.zeros(len(drawn.table), np.int64)
    have[numbers] = documents
    return have


def plain_seeds(hashes: Sequence[int]) -> list[tuple[int, int]]:
    """Every seed of a text with the place of its stretch."""
    return [
        (sum(hashes[at + place] * int(FACTORS[number, i]) for i, place in enumerate(places)) & MASK, at)
        for at in range(len(hashes) - FRAME_WORDS + 1)
        if hashes[at] >> 20 & 1
        for number, places in enumerate(PATTERNS)
    ]


def agree(left: Sequence[int], right: Sequence[int]) -> bool:
    same = [a for a, b in zip(left, right, strict=True) if a == b]
    return len(set(same)) >= FRAME_DIFFERENT


def test_every_count_is_what_plain_python_counts(tmp_path: Path) -> None:
    generator = random.Random(7)
    texts = fresh(20, 60, generator)
    for kept in (0.5, 0.6, 0.7, 1.0):
        frame = made_frame(60, kept, generator)
        texts += [filled(frame, generator) for _ in range(12)]
    texts += ["a " * 60, "0 0 0 b " * 20, "short text", *fresh(3, 23, generator), *fresh(3, 24, generator)]
    drawn = drawn_frames(texts)
    have = counted(drawn, texts, tmp_path)
    words = framing_words(words_of(texts))
    hashes = [words.hashes[words.offsets[i] : words.offsets[i + 1]].tolist() for i in range(len(texts))]
    by_seed: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, own in enumerate(hashes):
        for seed, at in plain_seeds(own):
            by_seed[seed].append((number, at))
    table, checked = drawn.table, 0
    for i, seed in enumerate(table.seeds.keys.tolist()):
        assert table.first[i + 1] - table.first[i] <= MOST_STANDING
        for frame_number in range(int(table.first[i]), int(table.first[i + 1])):
            place = int(table.places[frame_number])
            stretch = table.words[place : place + FRAME_WORDS].tolist()
            holders = {n for n, at in by_seed[seed] if agree(stretch, hashes[n][at : at + FRAME_WORDS])}
            assert have[frame_number] == len(holders)
            checked += len(holders) >= 8
    assert checked > 50


@pytest.mark.parametrize(
    ("kept", "words"), [(0.5, 120), (0.5, 400), (0.6, 40), (0.6, 60), (0.6, 120), (0.75, 40), (0.75, 400)]
)
def test_other_words_in_one_frame_are_seen_and_fresh_text_is_not(kept: float, words: int, tmp_path: Path) -> None:
    generator = random.Random(words)
    frame = made_frame(words, kept, generator)
    texts = [*(filled(frame, generator) for _ in range(30)), *fresh(60, words, generator)]
    drawn = drawn_frames(texts)
    by_level = drawn.framed(counted(drawn, texts, tmp_path), slice(0, len(texts)))
    share = by_level[:, 0] / drawn.looked_at(len(texts))
    assert np.median(share[:30]) > NarrowRule().frames
    assert share[30:].max() == 0
    assert FRAMED_BY[:3] == (8, 16, 32)
    assert np.median(by_level[:30, 1] / drawn.looked_at(len(texts))[:30]) > NarrowRule().frames
    assert by_level[:, 2:].sum() == 0  # thirty are fewer than 32
    fewer = counted(drawn, texts[23:], tmp_path)  # seven of the thirty
    assert drawn.framed(fewer, slice(0, len(texts))).sum() == 0


def test_one_word_again_and_again_is_no_frame(tmp_path: Path) -> None:
    texts = [f"0 0 0 0 {a} 0 0 0 {b} 0 0 0 " * 6 for a, b in zip("abcdefghij", "klmnopqrst", strict=True)]
    drawn = drawn_frames(texts)
    assert (
        counted(drawn, texts, tmp_path).max() <= 1
        or drawn.framed(counted(drawn, texts, tmp_path), slice(0, 10)).sum() == 0
    )


def test_the_same_words_in_other_places_are_no_frame(tmp_path: Path) -> None:
    generator = random.Random(3)
    common = generator.choices(VOCABULARY, k=60)
    texts = [" ".join(generator.sample(common, 60)) for _ in range(20)]
    drawn = drawn_frames(texts)
    assert drawn.framed(counted(drawn, texts, tmp_path), slice(0, 20)).sum() == 0


def test_of_a_long_document_stretches_are_looked_at_from_end_to_end() -> None:
    words = words_of([" ".join(map(str, range(5_000))), "one two", " ".join(map(str, range(1_000)))])
    found = stretches_of(words, 10)
    assert isinstance(found, Stretches)
    assert found.document.tolist() == [0] * 10 + [1, 2]
    assert np.diff(found.words.offsets).tolist() == [100] * 10 + [2, 1000]
    assert found.words.hashes[:100].tolist() == words.hashes[:100].tolist()
    assert found.words.hashes[900:1000].tolist() == words.hashes[4900:5000].tolist()
    assert [most_stretches(n) for n in (0, 500, 8_000, 16_000, 10**7)] == [10, 10, 10, 5, 1]


KINDS = {"pages": Kind.WEB, "made": Kind.SYNTHETIC, "more": Kind.SYNTHETIC}


def test_frames_stand_in_the_evidence_with_who_had_them_first(tmp_path: Path) -> None:
    generator = random.Random(11)
    frame = made_frame(80, 0.7, generator)
    texts = [Text("made", filled(frame, generator), 0.0, f"made:{i}") for i in range(6)]
    texts += [Text("more", filled(frame, generator), 0.0, f"more:{i}") for i in range(6)]
    texts += [Text("pages", text, 0.0, f"pages:{i}") for i, text in enumerate(fresh(40, 80, generator))]
    subject = subject_of(tmp_path / "corpus", KINDS, texts)
    found = measure_repetition(subject, configured(KINDS, 60), Workshop(InProcess(1), tmp_path))
    rows = {row["document_id"]: row for row in found.rows.to_pylist()}
    assert all(row["frame_words"] == 80 for row in rows.values())
    shares = {name: row["framed_8"] / 80 for name, row in rows.items()}
    assert np.mean([share for name, share in shares.items() if not name.startswith("pages")]) > 0.8
    assert max(share for name, share in shares.items() if name.startswith("pages")) == 0
    assert all(row["framed_8_before"] == 0 for name, row in rows.items() if name.startswith("made"))
    assert np.mean([row["framed_8_before"] for name, row in rows.items() if name.startswith("more")]) > 0.8 * 80


def test_signs_and_addresses_are_no_words_of_a_frame() -> None:
    text = "see https://a.example/b/c?d=e&f=g#h and the ( x ) == [ y ] of http://b.example end " + "tail " * 12
    (kept,) = [framing_words(words_of([text]))]
    expected = words_of(["see " + "tail " * 12])
    assert set(kept.hashes.tolist()) <= set(words_of([text]).hashes.tolist())
    assert kept.hashes[0] == expected.hashes[0]
    assert kept.hashes[-3:].tolist() == expected.hashes[-3:].tolist()
    assert not set(words_of(["https http ( =="]).hashes.tolist()) & set(kept.hashes.tolist())
    lines = [f"- [`{n:x}`](https://forge.example/who/what/commit/{n:x}) - **part**: w{n}" for n in range(40)]
    drawn = drawn_frames([" ".join(lines[n : n + 9]) for n in range(30)])
    assert drawn.looked_at(30).max() < 40
