import json
import random
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from polyculture.corpus.corpus import Corpus, build_index
from polyculture.corpus.ingest import Partition, ingest_partition
from polyculture.deduplication import heads as module
from polyculture.deduplication.damage import summarise_removal
from polyculture.deduplication.heads import Heads, count_words, find_heads, spared, stored_behind, texts_behind
from polyculture.deduplication.removal import NEAR, remove_duplicates
from polyculture.deduplication.search import Workplace
from polyculture.sources.record import InputFile
from polyculture.storage.hashing import file_sha256
from polyculture.text.canonical import canonical_text
from polyculture.text.texts import as_texts
from schemas.dedupe_config import DedupeConfig, NearConfig
from schemas.documents import Kind
from schemas.removals import RemovalSummary
from schemas.source_config import LimitsConfig, SourceConfig

# The notice that the Apache License, Version 2.0, asks for, and the permission notice of the MIT licence.
APACHE = """/*
 * Licensed to the Authors under one or more contributor license agreements. See the NOTICE file distributed with this
 * work for additional information regarding copyright ownership. The Authors license this file to You under the Apache
 * License, Version 2.0 (the "License"); you may not use this file except in compliance with the License. You may obtain
 * a copy of the License at
 *
 *     http://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software distributed under the License is distributed on
 * an "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the License for the
 * specific language governing permissions and limitations under the License.
 */
"""
MIT = """// Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
// documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
// rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to
// permit persons to whom the Software is furnished to do so, subject to the following conditions:
//
// The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
// Software. The software is provided "as is", without warranty of any kind, express or implied.
"""
SIZE = {licence: len(canonical_text(licence + "x")) - 1 for licence in (APACHE, MIT)}


def body(seed: int, lines: int = 12) -> str:
    generator = random.Random(seed)
    words = ["".join(generator.choices("abcdefghij", k=6)) for _ in range(40)]
    name = partial(generator.choice, words)
    return "".join(f"    {name()} = {name()}({name()}, {name()})\n" for _ in range(lines))


def found(texts: list[str]) -> Heads:
    canonical = [canonical_text(text) for text in texts]
    drawn = np.array([hash_of(text) for text in canonical], np.uint64)
    return find_heads(as_texts(pa.array(canonical, pa.large_string()), is_canonical=True), drawn)


def hash_of(text: str) -> int:
    return random.Random(text).getrandbits(64)


def test_a_licence_over_many_programs_is_their_head() -> None:
    texts = [APACHE + body(i) for i in range(30)] + [MIT + body(i) for i in range(20)] + [body(i) for i in range(30)]
    heads = found(texts)
    assert heads.size_bytes.tolist() == [SIZE[APACHE]] * 30 + [SIZE[MIT]] * 20 + [0] * 30
    assert [(b.text, len(b.members), b.words) for b in heads.beginnings] == [
        (canonical_text(licence), count, len(canonical_text(licence).split()))
        for licence, count in ((APACHE, 30), (MIT, 20))
    ]


def test_too_few_texts_too_few_words_and_too_little_behind_are_none() -> None:
    assert not found([APACHE + body(i) for i in range(19)]).size_bytes.any()
    short = " ".join(APACHE.split()[:45]) + " "
    assert not found([short + body(i) for i in range(40)]).size_bytes.any()
    assert not found([APACHE] + [body(i) for i in range(40)]).size_bytes.any()


def test_versions_of_one_document_have_no_head() -> None:
    tale = " ".join(body(1, 60).split())
    texts = [f"{tale} {i} {tale[::-1]}" for i in range(60)]
    assert not found(texts).size_bytes.any()
    mixed = [APACHE + text for text in texts] + [APACHE + body(i) for i in range(30)]
    heads = found(mixed)
    assert heads.size_bytes.tolist() == [SIZE[APACHE]] * 90


def test_a_longer_head_within_a_head() -> None:
    frame = " ".join(body(5, 40).split()) + "\n"
    texts = [APACHE + frame + body(i) for i in range(25)] + [APACHE + body(i) for i in range(100, 130)]
    heads = found(texts)
    longer = len(canonical_text(APACHE + frame + "x")) - 1
    assert heads.size_bytes.tolist() == [longer] * 25 + [SIZE[APACHE]] * 30
    (beginning,) = heads.beginnings
    assert len(beginning.members) in (25, 55)


def test_heads_in_scripts_without_spaces() -> None:
    generator = random.Random(2)
    head = "".join(chr(0x4E00 + generator.randrange(3000)) for _ in range(70))
    texts = [head + "".join(chr(0x6000 + generator.randrange(4000)) for _ in range(60)) for _ in range(25)]
    assert found(texts).size_bytes.tolist() == [210] * 25
    assert count_words(head.encode()) == 70


@pytest.mark.parametrize("most", [2**14, 40])
def test_order_changes_nothing(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_SORTED", most)
    tale = " ".join(body(1, 60).split())
    texts = [APACHE + body(i) for i in range(50)] + [MIT + body(i) for i in range(30)]
    texts += [f"{APACHE} {tale} {i} {tale[::-1]}" for i in range(30)]
    heads = found(texts)
    order = random.Random(4).sample(range(len(texts)), len(texts))
    again = found([texts[i] for i in order])
    assert again.size_bytes.tolist() == heads.size_bytes[order].tolist()
    assert [(b.text, len(b.members)) for b in again.beginnings] == [(b.text, len(b.members)) for b in heads.beginnings]


def test_a_text_is_compared_without_its_head_if_enough_follows() -> None:
    canonical = [canonical_text(APACHE + " ".join(["word"] * count)) for count in (5, 20, 21, 200)]
    texts = as_texts(pa.array(canonical, pa.large_string()), is_canonical=True)
    size = np.full(4, SIZE[APACHE])
    assert spared(texts, size).tolist() == [0, 0, SIZE[APACHE], SIZE[APACHE]]
    assert texts_behind(texts, size).decode(0) == "word word word word word"


def test_the_end_of_a_stored_text_is_told_by_its_canonical_text() -> None:
    text = APACHE + "\n    Return  X\n\tAgain\n"
    assert stored_behind(text, "return x again") == "\n\n    Return  X\n\tAgain\n"
    assert stored_behind("One  two THREE", "three") == " THREE"


def corpus_of(folder: Path, texts: list[str]) -> Corpus:
    folder.mkdir()
    path = folder / "code.jsonl"
    path.write_text("".join(json.dumps({"id": f"{i:03d}", "text": text}) + "\n" for i, text in enumerate(texts)))
    source = SourceConfig(name="code", kind=Kind.WEB, paths=(path.name,), language="en")
    file = InputFile(path, path.name, file_sha256(path), path.stat().st_size)
    _, files = ingest_partition(Partition(source, 0, (file,)), LimitsConfig(), None, folder, 1)
    return Corpus(build_index([(0, files[0])]).index, (files[0],), ("code",), (Kind.WEB,))


def removed(folder: Path, texts: list[str], is_without: bool) -> tuple[dict[str, str], RemovalSummary]:
    corpus = corpus_of(folder, texts)
    config = DedupeConfig(near=NearConfig(bands=64, rows=2, without_heads=is_without))
    removal = remove_duplicates(corpus, config, 5, Workplace(folder / "work"))
    gone = np.flatnonzero(removal.reason == NEAR)
    left, kept = corpus.document_ids(gone), corpus.document_ids(removal.kept[gone])
    return dict(zip(left, kept, strict=True)), summarise_removal(corpus, removal, 0.8)


def test_programs_under_one_licence(tmp_path: Path) -> None:
    """With the head some pairs of short programs are alike; without it they stay, and copies leave."""
    both = APACHE + MIT
    short = [both + "\n".join(f"word{i}{j}" for j in range(21)) for i in range(2)]
    many = [both + body(i, 40) for i in range(30)] + [MIT + body(i, 40) for i in range(100, 130)]
    copies = [MIT + body(7, 40), MIT + body(8, 40).replace("    ", "\t")]
    texts = [*short, *many, *copies]
    with_heads, summary = removed(tmp_path / "with", texts, is_without=False)
    assert with_heads == {"code:001": "code:000"}
    head = summary.heads[0]
    assert (head.documents, head.removed, head.removed_for_it) == (32, 1, 1)
    assert head.text.startswith("/* * licensed to the authors")
    assert head.words == len(both.split())
    without, summary = removed(tmp_path / "without", texts, is_without=True)
    assert without == {"code:062": "code:009"}  # the one that is indented by tabs stays
    assert (summary.sampled, summary.confirmed) == (1, 1)
    assert {head.removed_for_it for head in summary.heads} == {0}
