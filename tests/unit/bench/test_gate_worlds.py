"""Worlds are what their generators say that they are."""

import random
from pathlib import Path

import numpy as np
import pytest

from bench.gate.corpora import RealCorpus, Record, folder_corpora, keep_corpora, made_corpus
from bench.gate.edits import paraphrased, permuted, pieces, with_entities, with_other_words, word_count
from bench.gate.narrow import FAMILIES, Material
from bench.gate.run import truth_of
from bench.gate.worlds import FORMS, Worlds, WorldSource, deliver, taken

NAMES = ("blog", "release_notes", "manuals")


def texts_of(count: int, generator: random.Random) -> list[str]:
    """Texts of English sentences about nothing."""

    def sentence() -> str:
        words = [f"w{generator.randrange(5_000)}" for _ in range(6)]
        return "The {} of the {} is to get a big {} for Mr {} and, that is, {} with {}.".format(*words)

    return [" ".join(sentence() for _ in range(generator.randint(4, 12))) for _ in range(count)]


def corpus_of(name: str, documents: int = 150) -> RealCorpus:
    found = made_corpus(name, "web", map(Record, texts_of(documents, random.Random(name))))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    return Worlds([corpus_of(name) for name in NAMES], 7)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_makes_different_documents_that_say_what_others_say(family: str) -> None:
    drafts = FAMILIES[family](Material(corpus_of("blog")), 80, random.Random(1))
    sizes = np.unique([draft.group for draft in drafts], return_counts=True)[1]
    assert all(draft.group for draft in drafts)
    assert sizes.min() >= (4 if family == "vendors" else 8)
    assert len({draft.text for draft in drafts}) > 0.3 * len(drafts)  # windows of little text are often the same


def test_the_same_name_and_seed_make_the_same_world(worlds: Worlds) -> None:
    for name in worlds.names(6):
        assert worlds.make(name) == Worlds(worlds.corpora, 7).make(name)


def test_worlds_of_both_sides_and_every_family_come_in_turn(worlds: Worlds) -> None:
    names = worlds.names(2 * len(FAMILIES))
    assert len(set(names)) == len(names)
    assert {name.split(" ", 2)[2] for name in names if name.startswith("narrow")} == set(FAMILIES)


def test_sources_of_a_world_have_different_names_and_no_empty_ones(worlds: Worlds) -> None:
    for name in worlds.names(70):
        sources = worlds.make(name).sources
        assert len({source.name for source in sources}) == len(sources)
        assert all(source.documents for source in sources), name


@pytest.mark.parametrize("form", FORMS)
def test_every_form_delivers_every_document(worlds: Worlds, form: str) -> None:
    drafts = FAMILIES["word changes"](worlds.material(worlds.corpora[0]), 60, random.Random(1))
    beside = WorldSource("blog", "web", tuple(drafts[:10]))
    found = list(deliver(drafts[10:], [beside], form, random.Random(2)))
    assert sorted(d.text for source in found for d in source.documents) == sorted(draft.text for draft in drafts)


def test_what_survives_of_a_group_decides_whether_it_is_narrow() -> None:
    groups = ["a"] * 6 + ["b"] * 6 + ["c"] * 3 + [""] * 5
    kept = np.array([True] * 6 + [True] * 2 + [False] * 4 + [True] * 8)
    truth = truth_of(groups, kept, np.where(kept, 10, 0))
    assert truth.is_narrow.tolist() == [True] * 6 + [False] * 14
    assert truth.narrow == pytest.approx(6 / 16)
    assert truth.doubtful == pytest.approx(5 / 16)


def test_texts_are_taken_up_to_a_size() -> None:
    records = corpus_of("blog").records
    texts = taken(records, (1_000, 50), random.Random(1))
    assert sum(map(len, texts)) <= 1_000
    assert len(taken(records, (10**9, 20), random.Random(1))) == 20


def test_corpora_that_are_kept_are_read_again(tmp_path: Path) -> None:
    made = RealCorpus(
        "answers", "synthetic", tuple(Record(text, f"p{len(text) % 9}") for text in texts_of(120, random.Random(3)))
    )
    keep_corpora([made], tmp_path)
    [found] = folder_corpora(tmp_path)
    assert (found.name, found.kind, set(found.records)) == ("answers", "synthetic", set(made.records))
    assert not found.is_healthy


def test_edits_keep_what_they_say_that_they_keep() -> None:
    text = "The first Line has Words, and more.\nA second line says 42 things.\nThe third ends it."
    generator = random.Random(1)
    assert sorted(permuted(text, generator).split("\n")) == sorted(text.split("\n"))
    assert word_count(with_other_words(text, 0.5, ["x"], generator)) == word_count(text)
    assert "42" not in pieces(with_entities(text, ["other"], generator))
    assert paraphrased(text, generator) != text
