"""Signals: numbers that depend on their own document alone, written once beside a partition."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from polyculture.corpus.attributes import Attributes
from polyculture.signals.attributes import numbers_of, values_of, write_attributes
from polyculture.signals.signal import SignalSettings
from polyculture.signals.signals import SIGNALS
from polyculture.storage.files import map_arrow_file, write_arrow_file
from polyculture.text.canonical import canonical_text
from polyculture.text.language import language_of
from polyculture.text.skeleton import template_keys
from polyculture.text.words import words
from schemas.measure_config import MeasureConfig, SemanticConfig

SETTINGS = SignalSettings(MeasureConfig(semantic=SemanticConfig()))
TEXTS = [
    "Anna paid 12 euros for the book.",
    "Otto paid 7 euros for the book.",
    "",
    "Die Katze sitzt auf dem Dach, und niemand sieht sie dort.",
    "我们 今天 去 看 电影",
    "def f(x):\n    return x + 1",
]


def documents(texts: list[str] = TEXTS) -> pa.Table:
    count = len(texts)
    return pa.table(
        {
            "text": pa.array(texts, pa.large_string()),
            "language": pa.array(["en", "en", "en", "de", "zh", None][:count], pa.string()),
            "identified": pa.array([language_of(text).code for text in texts], pa.string()),
            "told": pa.array([language_of(text).why.value for text in texts], pa.string()),
            "embedding": pa.nulls(count, pa.list_(pa.float32())),
            "file": ["made.jsonl"] * count,
            "position": pa.array(range(count), pa.int64()),
        }
    )


@pytest.mark.parametrize("name", SIGNALS)
def test_a_value_depends_on_its_own_document_alone(name: str) -> None:
    whole, order = values_of(name, documents(), SETTINGS), [4, 0, 5, 1, 3, 2]
    shuffled = values_of(name, documents().take(pa.array(order)), SETTINGS)
    for column, values in whole.items():
        assert len(values) == len(TEXTS)
        assert np.array_equal(values[order], shuffled[column])
        for number in range(len(TEXTS)):
            alone = values_of(name, documents().slice(number, 1), SETTINGS)[column]
            assert np.array_equal(alone, values[number : number + 1])


@pytest.mark.parametrize("name", SIGNALS)
def test_attributes_are_rows_beside_the_partition_and_are_found_by_document(name: str, tmp_path: Path) -> None:
    paths = []
    for number, span in enumerate((slice(0, 4), slice(4, 6))):
        part, out = tmp_path / f"{number}.arrow", tmp_path / name / f"{number}.arrow"
        write_arrow_file(part, documents().slice(span.start, span.stop - span.start))
        assert write_attributes(part, {name: out}, SETTINGS) == span.stop - span.start
        assert map_arrow_file(out).schema.names == SIGNALS[name].open(SETTINGS).schema.names
        paths.append(out)
    partition, row = np.array([1, 0, 0]), np.array([1, 3, 0])
    found = Attributes({name: paths}, partition, row)
    for column, values in values_of(name, documents(), SETTINGS).items():
        assert np.array_equal(found.values(name, column), values[[5, 3, 0]])
    with pytest.raises(LookupError, match="no attributes of the signal 'other'"):
        found.values("other", "x")


def test_several_signals_are_written_in_one_pass(tmp_path: Path) -> None:
    write_arrow_file(tmp_path / "d.arrow", documents())
    outs = {name: tmp_path / f"{name}.arrow" for name in SIGNALS}
    assert write_attributes(tmp_path / "d.arrow", outs, SETTINGS) == len(TEXTS)
    for name, out in outs.items():
        table = map_arrow_file(out)
        for column, values in values_of(name, documents(), SETTINGS).items():
            assert np.array_equal(numbers_of(table[column].combine_chunks()), values)


def test_no_document_has_no_attributes(tmp_path: Path) -> None:
    write_arrow_file(tmp_path / "d.arrow", documents([]))
    outs = {name: tmp_path / f"{name}.arrow" for name in SIGNALS}
    assert write_attributes(tmp_path / "d.arrow", outs, SETTINGS) == 0
    assert [map_arrow_file(out).num_rows for out in outs.values()] == [0] * len(SIGNALS)
    for name in SIGNALS:
        assert all(len(values) == 0 for values in values_of(name, documents([]), SETTINGS).values())


def test_words_are_those_of_the_canonical_text_and_keys_those_of_skeletons() -> None:
    counts = values_of("lexical", documents())["words"].tolist()
    assert counts == [len(words(canonical_text(text))) for text in TEXTS]
    keys, wanted = values_of("template", documents()), template_keys(pa.array(TEXTS, pa.large_string()))
    assert np.array_equal(keys["whole"], wanted.whole)
    assert np.array_equal(keys["opening"], wanted.opening)
    assert np.array_equal(keys["whole"][0], keys["whole"][1])


def test_a_signal_that_the_configuration_does_not_ask_for_has_no_settings() -> None:
    without = SignalSettings(MeasureConfig(semantic=None))
    assert SIGNALS["embedding"].settings(without) is None
    assert SIGNALS["embedding"].settings(SETTINGS) is not None
    assert SIGNALS["template"].settings(without) == SIGNALS["template"].settings(SETTINGS) == {}
