"""Documents that are made to take long or to grow are set aside, and every slot is accounted for."""

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from polyculture.compute.executor import make_executor
from polyculture.compute.watchdog import MOST_ENDS
from polyculture.corpus.ingest import Partition, ingest_partition, partition_files
from polyculture.sources.files import find_inputs
from polyculture.storage.files import map_arrow_file
from schemas.accounts import FileAccount
from schemas.documents import Kind
from schemas.source_config import LimitsConfig, SourceConfig
from tests.support.slow_steps import MARK, STEPS, ingest_slowly
from tests.unit.sources.helpers import http, jsonl, page, warc

LIMITS = LimitsConfig(max_document_seconds=1)


def partition_of(folder: Path, name: str, data: bytes) -> Partition:
    (folder / name).write_bytes(data)
    source = SourceConfig(name="s", kind=Kind.WEB, paths=(name,))
    (partition,) = partition_files(source, find_inputs(source, folder).files)
    return partition


def outcome(found: tuple[list[FileAccount], list[Path]]) -> tuple[FileAccount, list[str], list[dict[str, object]]]:
    """The account of the one file, its texts, and its rows of `quarantined/`; every slot is in one of them."""
    (account,), (documents, quarantined) = found
    texts, rows = map_arrow_file(documents)["text"].to_pylist(), pq.read_table(quarantined).to_pylist()
    assert account.slots == account.documents + sum(account.quarantined.values()) + sum(account.filtered.values())
    assert account.documents == len(texts)
    assert account.quarantined == dict(Counter(row["reason"] for row in rows))
    return account, sorted(texts), rows


@pytest.mark.parametrize(
    ("slow_step", "way", "executor"),
    [
        *((name, "loop", "in_process") for name in STEPS),
        (STEPS[0], "pattern", "in_process"),
        (STEPS[1], "library", "local"),
        (STEPS[-1], "library", "local"),
    ],
)
def test_a_document_that_never_ends_is_a_timeout_and_the_others_are_kept(
    slow_step: str, way: str, executor: str, tmp_path: Path
) -> None:
    plain = [f"A text of some words, number {number}." for number in range(5)]
    texts = [*plain[:3], MARK if "documents" in slow_step else f"This is {MARK} among them.", *plain[3:]]
    name, data = "a.jsonl", jsonl([{"text": text} for text in texts])
    if "capture" in slow_step:
        name, data = "a.warc", b"".join(warc("response", http(page(text)), number=i) for i, text in enumerate(texts))
    with make_executor(1, executor) as workers:
        call = (slow_step, way, partition_of(tmp_path, name, data), LIMITS, tmp_path)
        (found,) = workers.run(ingest_slowly, [call])
    account, kept, rows = outcome(found)
    assert kept == plain
    assert account.quarantined == {"timeout": 1}
    assert "over 1 seconds of CPU time" in str(rows[0]["detail"])
    assert "limits.max_document_seconds" in str(rows[0]["detail"])
    assert not account.is_tail_lost


def test_a_file_that_ends_its_reader_again_and_again_is_given_up(tmp_path: Path) -> None:
    texts = [f"text number {number} of many" for number in range(2 * MOST_ENDS)]
    partition = partition_of(tmp_path, "a.jsonl", jsonl([{"text": text} for text in texts]))
    # Each record is two pieces of work, of which the first checks it.
    ended = range(2, 2 * MOST_ENDS + 1, 2)
    (tmp_path / f"{partition.name}.overdue").write_text("\n".join(map(str, ended)))
    account, kept, rows = outcome(ingest_partition(partition, LimitsConfig(), None, tmp_path, 0))
    assert kept == []
    assert account.quarantined == {"timeout": MOST_ENDS + 1}
    assert account.is_tail_lost
    assert account.lost_bytes == account.bytes
    assert "given up: 8 documents" in str(rows[-1]["detail"])


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        ("\ufdfa" * 1000, False),
        ("\ufdfa" * 10, False),
        ("\u3316" * 10, False),
        ("a\ufdfa" * 10 + "b" * 59, False),
        ("a\ufdfa" * 10 + "b" * 60, True),
        ("\ufdfa " + "words of a text that only names him " * 3, True),
        ("\u2026\u00bd" * 100, True),
        ("a" + "\u0301\u0316" * 100_000, True),
    ],
)
def test_a_text_whose_canonical_form_is_more_than_four_times_as_long_is_too_big(
    text: str, is_kept: bool, tmp_path: Path
) -> None:
    partition = partition_of(tmp_path, "a.jsonl", jsonl([{"text": text}, {"text": "another"}]))
    account, kept, rows = outcome(ingest_partition(partition, LimitsConfig(), None, tmp_path, 0))
    assert kept == sorted([text, "another"] if is_kept else ["another"])
    assert [(row["reason"], row["byte_offset"]) for row in rows] == ([] if is_kept else [("doc_too_big", 0)])
    assert account.slots == 2
