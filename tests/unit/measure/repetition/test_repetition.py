"""Repetition is what plain Python counts, whatever the partitions; and more copies never make less of it."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from polyculture.compute.in_process import InProcess
from polyculture.compute.local import Local
from polyculture.measure.repetition import repetition, texts
from polyculture.measure.repetition.multiplicities import Looked
from polyculture.measure.repetition.repetition import (
    Subject,
    Workshop,
    measure_repetition,
    passage_text,
    scaled,
    source_preference,
)
from polyculture.measure.repetition.repetition_file import (
    Repetition,
    read_repetition,
    without_passage_texts,
    write_repetition,
)
from schemas.documents import Kind
from schemas.repetition import PASSAGES_SCHEMA, REPETITION_SCHEMA
from tests.support.corpora import sentence
from tests.unit.measure.repetition.corpora import Text, configured, plain_shared, plain_twins, subject_of

KINDS = {"pages": Kind.WEB, "solutions": Kind.EXPERT, "samples": Kind.SYNTHETIC, "answers": Kind.SYNTHETIC}


def made_texts() -> list[Text]:
    """Texts with shared passages, twins, copies within sources and across, short ones, and some that are not read."""
    generator = random.Random(5)
    passage, other = sentence(generator, 45), sentence(generator, 21)
    found = []
    for number in range(160):
        source = ("pages", "solutions", "samples", "answers")[number % 4]
        parts = [sentence(generator, generator.randrange(1, 30))]
        parts += [passage] if number % 3 == 0 else []
        parts += [other] * (number % 8 == 1)
        parts += [sentence(generator, generator.randrange(15))]
        generator.shuffle(parts)
        angle = 0.0 if number % 11 == 0 else 1 + number % 3 + generator.random() * 0.9
        found.append(Text(source, " ".join(parts), angle, f"{source}:{number}"))
    found += [Text("samples", text.text, text.angle, f"samples:again {i}") for i, text in enumerate(found[:40])]
    found += [
        Text("pages", "水" * 10 + "这是一个很长的句子里面有很多字还有更多的字" * 2, 2.2, f"pages:zh {i}")
        for i in range(9)
    ]
    return found


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return subject_of(tmp_path_factory.mktemp("corpus"), KINDS, made_texts())


@pytest.fixture(scope="module")
def whole(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Repetition:
    return measured(subject, tmp_path_factory.mktemp("scratch"))


def measured(subject: Subject, folder: Path, probes: int = 40, **given: int) -> Repetition:
    config = configured(KINDS, probes, **given)
    return measure_repetition(subject, config, Workshop(InProcess(1), folder))


def by_id(found: Repetition) -> dict[str, dict[str, int]]:
    return {row["document_id"]: row for row in found.rows.to_pylist()}


def test_every_count_is_what_plain_python_counts(whole: Repetition) -> None:
    made, found = made_texts(), whole
    assert found.rows.schema.equals(REPETITION_SCHEMA)
    assert found.rows.num_rows == 4 * 40
    number = {text.name: i for i, text in enumerate(made)}
    order = ["solutions", "pages", "samples", "answers"]
    counted = by_id(found)
    assert len(counted) > 60
    seen = {"twins": 0, "before": 0, "null": 0, "shared_32": 0, "shared_before": 0}
    for name, row in counted.items():
        at = number[name]
        own = made[at].source
        earlier = order[: order.index(own)]
        assert row["source_documents"] == sum(t.source == own and len(t.text.split()) >= 50 for t in made) > 0
        assert row["words"] == len(made[at].text.split()) or "水" in made[at].text
        for least in (2, 8, 32):
            assert row[f"shared_{least}"] == plain_shared(made, at, least)
            assert row[f"shared_{least}_before"] == plain_shared(made, at, least, {*earlier, own})
        equal = [text.source for text in made if text.text == made[at].text]
        assert row["exact"] == len(equal)
        assert row["exact_own"] == equal.count(own)
        assert row["exact_before"] == sum(equal.count(source) for source in earlier)
        assert row["near"] >= row["exact"]
        assert (row["seed"], row["seed_own"], row["seed_before"]) == (0, 0, 0)
        if not made[at].angle:
            assert row["twins"] is row["alike"] is row["twin_candidates"] is None
            seen["null"] += 1
            continue
        twins = [made[other].source for other in plain_twins(made, at)]
        assert row["twins"] == len(twins)
        assert row["twins_own"] == twins.count(own)
        assert row["twins_before"] == sum(twins.count(source) for source in earlier)
        assert row["alike"] == row["twin_candidates"] + 1 >= row["twins"]
        assert row["twin_verified_of"] == min(row["twin_candidates"], 64)
        seen["twins"] += 2 < row["twins"] < row["alike"]
        seen["before"] += row["twins_before"] > 0
        seen["shared_32"] += row["shared_32"] > 0
        seen["shared_before"] += row["shared_32_before"] < row["shared_32"]
    assert min(seen.values()) > 3


def test_the_cap_is_a_sample_whose_counts_are_scaled(
    subject: Subject, whole: Repetition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repetition, "MOST_VERIFIED", 20)
    every, part = by_id(whole), by_id(measured(subject, tmp_path))
    assert max(row["twin_candidates"] or 0 for row in every.values()) > 20
    for name, row in part.items():
        if row["twin_candidates"] is not None:
            assert row["twin_verified_of"] == min(20, row["twin_candidates"])
            assert row["alike"] == every[name]["alike"]
            assert row["twins"] >= row["twins_own"] + row["twins_before"]
    read = [name for name, row in part.items() if row["twins"] is not None]
    means = [np.mean([found[name]["twins"] for name in read]) for found in (every, part)]
    assert means[1] == pytest.approx(means[0], rel=0.1)


def test_scaled_counts_are_at_least_what_was_seen_and_add_up() -> None:
    one = [np.array(values) for values in ([3, 0, 64], [2, 0, 32], [1, 0, 32])]
    every, own, before = scaled((one[0], one[1], one[2]), np.array([7, 0, 1000]), np.array([4, 0, 64]))
    assert every.tolist() == [6, 1, 1001]
    assert own.tolist() == [5, 1, 501]
    assert before.tolist() == [1, 0, 500]


def test_partitions_order_and_workers_change_nothing(
    whole: Repetition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shuffled = made_texts()
    random.Random(3).shuffle(shuffled)
    subject = subject_of(tmp_path / "many", KINDS, shuffled, parts=3)
    for name in ("LEAST_BYTES", "BLOCK_BYTES"):
        monkeypatch.setattr(texts, name, 1500)
    with Local(2) as executor:
        cut = measure_repetition(subject, configured(KINDS), Workshop(executor, tmp_path))
    assert cut.rows.equals(whole.rows)
    assert cut.passages.drop_columns(["example", "text"]).equals(whole.passages.drop_columns(["example", "text"]))


def test_documents_that_lenses_see_beside_the_corpus_are_not_counted(
    subject: Subject, whole: Repetition, tmp_path: Path
) -> None:
    made = made_texts()
    beside = [Text("between", text.text, text.angle, f"between:{number}") for number, text in enumerate(made)]
    more = subject_of(tmp_path / "more", {**KINDS, "between": Kind.WEB}, made + beside)
    ids = more.corpus.index["document_id"].to_pylist()
    among = np.array([ids.index(name) for name in subject.corpus.index["document_id"].to_pylist()])
    assert among[0] == 0
    assert among[-1] > len(among)
    mixed = replace(subject, looked=Looked(more.looked.indexes, among))
    assert measured(mixed, tmp_path).rows.equals(whole.rows)


def test_the_names_of_documents_decide_nothing(whole: Repetition, tmp_path: Path) -> None:
    made = made_texts()
    renamed = [Text(t.source, t.text, t.angle, f"{t.source}:x{i * 7919 % 1009}") for i, t in enumerate(made)]
    first, second = whole, measured(subject_of(tmp_path, KINDS, renamed), tmp_path)
    assert first.rows.drop_columns(["document_id"]).equals(second.rows.drop_columns(["document_id"]))
    says = [{text.name: text.text for text in chosen} for chosen in (made, renamed)]
    drawn = [
        [says[n][name] for name in found.rows["document_id"].to_pylist()] for n, found in enumerate((first, second))
    ]
    assert drawn[0] == drawn[1]


def test_another_text_anywhere_draws_other_documents(whole: Repetition, tmp_path: Path) -> None:
    made = made_texts()
    changed = [*made[:-1], Text(made[-1].source, made[-1].text + " 字", made[-1].angle, made[-1].name)]
    other = measured(subject_of(tmp_path, KINDS, changed), tmp_path)
    first, second = (found.rows["document_id"].to_pylist() for found in (whole, other))
    assert first[:40] != second[:40]
    assert len(set(first) & set(second)) > 20


def test_draws_are_in_proportion_to_tokens_and_equal_texts_are_drawn_each_by_itself(tmp_path: Path) -> None:
    long, short = "a long text of twelve words that is there in twelve copies", "a short one"
    made = [Text("pages", long, 1.0)] * 12 + [Text("pages", f"{short} {n}", 1.0) for n in range(12)]
    subject = subject_of(tmp_path / "c", KINDS, [Text(t.source, t.text, 1.0, f"pages:{n}") for n, t in enumerate(made)])
    rows = measured(subject, tmp_path, probes=4000).rows
    assert rows.num_rows == 4000
    names = rows["document_id"].to_pylist()
    shares = [names.count(f"pages:{n}") / 4000 for n in range(24)]
    assert shares[:12] == pytest.approx([12 / 192] * 12, rel=0.3)
    assert shares[12:] == pytest.approx([4 / 192] * 12, rel=0.5)


def totals(found: Repetition) -> dict[str, tuple[int, ...]]:
    """The counts over all sources of each drawn document."""
    lenses = ("exact", "near", "template", "opening", "alike", "twins", "shared_2", "shared_8", "shared_32", "words")
    return {name: tuple(row[lens] for lens in lenses) for name, row in by_id(found).items()}


def test_to_split_or_merge_sources_changes_no_count(tmp_path: Path) -> None:
    made = made_texts()
    merged = [Text("pages", t.text, t.angle, t.name) for t in made]
    split, one = (
        totals(measured(subject_of(tmp_path / str(n), KINDS, chosen), tmp_path, probes=300))
        for n, chosen in enumerate((made, merged))
    )
    both = split.keys() & one.keys()
    assert len(both) > 60
    assert {name: split[name] for name in both} == {name: one[name] for name in both}


def test_a_copy_never_lowers_a_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repetition, "MOST_VERIFIED", 200)
    made = made_texts()
    more = [*made, *(Text("pages", t.text, t.angle, f"pages:copy {i}") for i, t in enumerate(made[:20]))]
    before, after = (
        totals(measured(subject_of(tmp_path / str(n), KINDS, chosen), tmp_path, probes=300))
        for n, chosen in enumerate((made, more))
    )
    both = before.keys() & after.keys()
    assert len(both) > 60
    for name in both:
        assert all(b is None or a >= b for b, a in zip(before[name], after[name], strict=True)), name
    assert any(after[text.name][5] > before[text.name][5] for text in made[:20] if text.name in both and text.angle)


def test_widespread_passages_are_listed_with_who_says_them(whole: Repetition) -> None:
    found = whole.passages
    assert found.schema.equals(PASSAGES_SCHEMA)
    (row,) = found.to_pylist()
    made = made_texts()
    passage = sentence(random.Random(5), 45)
    holders = [text.source for text in made if passage in text.text]
    assert row["documents"] == len(holders) >= 50
    assert dict(zip(row["sources"], row["source_documents"], strict=True)) == {
        source: holders.count(source) for source in set(holders)
    }
    assert row["source_documents"] == sorted(row["source_documents"], reverse=True)
    assert row["text"] == passage[:300]
    assert [row["text"] for row in without_passage_texts(found).to_pylist()] == [""]


def test_what_is_written_is_read_again_and_what_is_missing_or_another_is_said(
    whole: Repetition, tmp_path: Path
) -> None:
    assert read_repetition(tmp_path) is None
    found = whole
    write_repetition(found, tmp_path)
    again = read_repetition(tmp_path)
    assert again is not None
    assert again.rows.equals(found.rows)
    assert again.passages.equals(found.passages)
    write_repetition(Repetition(found.rows.drop_columns(["twins"]), found.passages), tmp_path)
    with pytest.raises(ValueError, match="columns"):
        read_repetition(tmp_path)
    (tmp_path / "passages.parquet").unlink()
    with pytest.raises((OSError, ValueError)):
        read_repetition(tmp_path)


@pytest.mark.parametrize("made", [[], [Text("pages", "!", 1.0)], [Text("pages", "one word", 0.0)]])
def test_a_corpus_with_next_to_nothing_in_it_is_measured(tmp_path: Path, made: Sequence[Text]) -> None:
    subject = subject_of(tmp_path / "c", KINDS, [Text("answers", "another", 1.0), *made])
    empty = subject.stage.copies * 0 if not made else subject.stage.copies
    nothing = Subject(subject.corpus, type(subject.stage)("distinct", empty), subject.looked, None)
    found = measured(nothing, tmp_path)
    assert found.passages.num_rows == 0
    assert found.rows["twins"].null_count == found.rows.num_rows
    assert (found.rows.num_rows > 0) is bool(made)
    assert measured(subject, tmp_path).rows.num_rows > 0


def test_sources_are_preferred_by_kind_and_then_as_they_are_listed() -> None:
    config = configured(KINDS)
    assert source_preference(config, tuple(sorted(KINDS))).tolist() == [3, 1, 2, 0]


def test_a_passage_is_cut_out_of_its_text() -> None:
    assert passage_text("one, two; three four.", 1, 2) == "two; three"
    assert passage_text("水是水 and 火", 2, 2) == "水 and"
    assert len(passage_text("word " * 200, 0, 200)) == 300
    assert pa.array([passage_text("alone", 0, 1)]).to_pylist() == ["alone"]
