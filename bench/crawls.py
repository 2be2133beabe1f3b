"""Overlapping sources of real documents, counted twice: by the product, and by brute force over all pairs."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import zstandard
from numpy.typing import NDArray
from scipy import sparse

from bench.corpora import similar_pairs
from polyculture.measure.lenses.near_index import NearIndex
from polyculture.measure.probes.heavy import Documents, HeavyCounts, heavy_species
from polyculture.measure.probes.multiplicity import GroupCounts, count_groups
from polyculture.measure.probes.probe_matrix import ProbeMatrix, SourceProbes, Weighting
from polyculture.measure.probes.probes import StageCopies, choose_probes, split_probes
from polyculture.storage.hashing import id_hash, seeded_hash, unit_interval
from polyculture.text.canonical import canonical_text
from polyculture.text.shingles import shingle_sets
from polyculture.text.skeleton import skeleton, template_keys
from polyculture.text.words import words

Integers = NDArray[np.int64]

# Files with duplicates of one lens or another, and how many documents are taken of each.
FILES = {
    "expert__gsm8k_train": 1_000,
    "expert__openstax_worked": 3_000,
    "synthetic__gpteacher_toolformer": 2_500,
    "synthetic__gsm8k_model_solutions": 2_000,
    "synthetic__tot_gpt4_game24": 3_000,
    "synthetic__zeroeval_gsm": 2_500,
    "web__digitalgov": 1_000,
    "web__nodejs_org": 600,
    "web__opensource_guide": 350,
    "web__tldr": 3_000,
    "web__tldr_more": 2_000,
}
# A source holds so much of its own file, of the next, and so on around the list: as crawls of one web overlap.
HELD = (0.8, 0.4, 0.15, 0.0, 0.0, 0.05, 0.0, 0.0, 0.0, 0.02, 0.0)
CRAWL_STREAM = 77
THRESHOLD = 0.8
HEAVY_ABOVE = 20


@dataclass(frozen=True)
class Crawls:
    """The documents of all sources; a text that several sources hold is a document of each.

    Attributes:
        texts: the different canonical texts' first stored texts.
        group: (documents,) which of them each is.
        source: (documents,) source number.
        id_hash: (documents,) hash of the document_id.
        sources: how many sources there are.
    """

    texts: list[str]
    group: Integers
    source: Integers
    id_hash: NDArray[np.uint64]
    sources: int


def read_crawls(data: Path, sources: int, share: float = 1.0) -> Crawls:
    """Deal the documents of `data`/dev out to sources, by seeded hash.

    Args:
        data: folder that holds dev.
        sources: how many; source j has file j of the list for its own.
        share: of the documents of each file.
    """
    groups: dict[str, int] = {}
    texts: list[str] = []
    rows: list[tuple[int, int, int]] = []
    for number, (name, count) in enumerate(FILES.items()):
        for key, text in _records(data / "dev" / f"{name}.jsonl.zst", round(count * share)):
            canonical = canonical_text(text)
            mine = np.array([id_hash(f"{source}/{key}") for source in range(sources)], np.uint64)
            drawn = unit_interval(seeded_hash(mine, 1, CRAWL_STREAM))
            for source in range(sources):
                if drawn[source] < HELD[(number - source) % len(HELD)]:
                    if canonical not in groups:
                        groups[canonical] = len(texts)
                        texts.append(text)
                    rows.append((groups[canonical], source, int(mine[source])))
    group, source_of, hashes = zip(*rows, strict=True)
    return Crawls(texts, np.array(group), np.array(source_of), np.array(hashes, np.uint64), sources)


def _records(path: Path, count: int) -> Iterable[tuple[str, str]]:
    """The `count` records of smallest hash, so that it is a uniform sample of the file."""
    found: list[tuple[int, str, str]] = []
    with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        for number, line in enumerate(io.BufferedReader(stream)):
            key = f"{path.name}/{number}"
            found.append((id_hash(key), key, orjson.loads(line)["text"]))
    return [(key, text) for _, key, text in sorted(found)[:count]]


@dataclass(frozen=True)
class Lens:
    """One lens on the crawls.

    Attributes:
        name: exact, near or template.
        multiplicity: (groups, sources) as the product counts them.
        species: (groups,) species number, or None of neighbourhoods.
        similar: (groups, groups) truth, by brute force: which texts are of one species, or neighbours; itself too.
    """

    name: str
    multiplicity: Integers
    species: Integers | None
    similar: sparse.csr_array


def lenses(crawls: Crawls, is_truth_needed: bool = True) -> Iterator[Lens]:
    """Exact, near and template; what the product counts beside what brute force says.

    Args:
        crawls: the documents.
        is_truth_needed: False: without the join over all pairs, every text is like itself alone.
    """
    size = len(crawls.texts)
    counts = count_groups(crawls.group, crawls.source, np.ones((len(crawls.group), 1), np.int64), crawls.sources)
    table = _dense(counts, size)
    alone = sparse.csr_array(sparse.eye_array(size))
    yield Lens("exact", table, np.arange(size), alone)
    index = NearIndex(shingle_sets(pa.array(crawls.texts, pa.large_string())), THRESHOLD, 1)
    near_truth = _near_truth(crawls.texts) if is_truth_needed else alone
    yield Lens("near", index.multiplicities(np.arange(size), counts)[:, :, 0], None, near_truth)
    keys = template_keys(pa.array(crawls.texts, pa.large_string())).whole
    species = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    of_species = np.zeros((species.max() + 1, crawls.sources), np.int64)
    np.add.at(of_species, species, table)
    skeletons: dict[str, int] = {}
    truth = np.array([skeletons.setdefault(skeleton(text), len(skeletons)) for text in crawls.texts])
    member = sparse.csr_array((np.ones(size), (np.arange(size), truth)))
    yield Lens("template", of_species[species], species, sparse.csr_array(member @ member.T))


def _dense(counts: GroupCounts, size: int) -> Integers:
    table = np.zeros((size, counts.sources), np.int64)
    table[np.repeat(np.arange(size), np.diff(counts.offsets)), counts.source] = counts.copies[:, 0]
    return table


def _near_truth(texts: list[str]) -> sparse.csr_array:
    numbers: dict[str, str] = {}  # a word as any join splits it
    spelled = [
        " ".join(numbers.setdefault(word, f"w{len(numbers)}") for word in words(canonical_text(text))) for text in texts
    ]
    pairs = np.array([(pair.left, pair.right) for pair in similar_pairs(spelled, THRESHOLD)]).reshape(-1, 2)
    both = np.concatenate([pairs, pairs[:, ::-1]]).T
    links = sparse.csr_array((np.ones(both.shape[1]), (both[0], both[1])), shape=(len(texts), len(texts)))
    return sparse.csr_array(links + sparse.eye_array(len(texts)))


def heavy_of(crawls: Crawls, lens: Lens) -> HeavyCounts | None:
    """The heavy species of a partition lens: of more than 20 documents.

    The product's 1e-4 of so few documents would be one or two, so that every repeated species were counted whole and
    nothing was left to estimate.
    """
    if lens.species is None:
        return None
    ones = np.ones(len(crawls.group), np.int64)
    documents = Documents(crawls.source, ones, ones, crawls.id_hash, crawls.sources)
    found = heavy_species(lens.species[crawls.group], documents)
    kept = found.documents.sum(axis=1) > HEAVY_ABOVE
    parts = (found.species[kept], found.documents[kept], found.tokens[kept], found.example[kept])
    return HeavyCounts(*parts, above=HEAVY_ABOVE, totals=found.totals)


def draw_matrix(crawls: Crawls, lens: Lens, heavy: HeavyCounts | None, probes: int, seed: int) -> ProbeMatrix:
    """Fresh probes of every source, chosen as the product chooses them."""
    stage = StageCopies("input", np.ones(len(crawls.group), np.int64))
    chosen = choose_probes(stage, crawls.source, crawls.id_hash, probes, seed)
    documents = np.bincount(crawls.source, minlength=crawls.sources).astype(np.int64)
    parts: list[SourceProbes] = []
    light = chosen
    if heavy is not None and lens.species is not None:
        light, _ = split_probes(chosen, heavy.has(lens.species)[crawls.group])
    for source in range(crawls.sources):
        rows = lens.multiplicity[crawls.group[light[crawls.source[light] == source]]]
        if heavy is not None:
            parts.append(heavy.source_probes(source, rows, Weighting.DOCUMENTS))
        else:
            none = np.empty((0, crawls.sources), np.int64)
            size = int(documents[source])
            parts.append(SourceProbes.of_species(rows, none, np.empty(0), (size, 0)))
    return ProbeMatrix(tuple(parts), documents, documents, Weighting.DOCUMENTS, lens.species is not None)
