"""Cost of the exact, near and seed lenses on top of deduplication: `python -m bench.ledger [--documents N]`.

A corpus of twelve synthetic sources of real text with planted near-duplicates is read, deduplicated and measured at
three stages by the functions that a run calls, with two threads. The target is at most 15 % on top of deduplication
(grouping, shingling, signing, comparing); reading is left out of both, and stated.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.corpora import documents
from polyculture.compute.local import Local
from polyculture.corpus.attributes import Attributes
from polyculture.corpus.corpus import Corpus, build_index
from polyculture.corpus.ingest import Partition, ingest_partition
from polyculture.deduplication.removal import Removal, group_leaders, preference_order, remove_duplicates
from polyculture.deduplication.search import Workplace
from polyculture.measure.ledger.count import Survey, count_part, measure_stages
from polyculture.measure.ledger.ledger import Ledger, read_ledger, write_ledger
from polyculture.measure.lenses.lens import LensSettings
from polyculture.measure.lenses.lenses import build_indexes
from polyculture.measure.lenses.material import CorpusMaterial
from polyculture.measure.probes.probes import StageCopies
from polyculture.signals.attributes import values_of
from polyculture.sources.record import InputFile
from polyculture.storage.hashing import file_sha256, signature_seed
from polyculture.text.shingles import ShingleSets, shingle_sets
from schemas.dedupe_config import DedupeConfig
from schemas.documents import Kind
from schemas.ledger import LedgerHeader
from schemas.measures import Stage
from schemas.source_config import LimitsConfig, SourceConfig

MOST_COST = 0.15  # of deduplication, for the lenses of SUMMED
MOST_RELOAD_SECONDS = 1.0
SOURCES, PROBES, THREADS, SEED = 12, 2000, 2, 20_261_122
SUMMED = ("index of near", "index of seed", "counts of species", "exact", "near", "seed")
Found = TypeVar("Found")


def timed(name: str, work: Callable[[], Found], times: dict[str, float]) -> Found:
    """Do some work and return its result; its seconds go into `times`."""
    start = time.perf_counter()
    found = work()
    times[name] = time.perf_counter() - start
    return found


def read_corpus(data: Path, count: int, folder: Path) -> Corpus:
    """Write sources of JSON lines and read them as a run does."""
    streams = [(folder / f"source_{number:02d}.jsonl").open("w") for number in range(SOURCES)]
    for number, text in enumerate(documents(data, count)):
        record = {"id": number, "text": text, "seed": f"prompt-{number // 40}"}
        streams[number % SOURCES].write(json.dumps(record) + "\n")
    calls = []
    for stream in streams:
        stream.close()
        path = Path(stream.name)
        source = SourceConfig(name=path.stem, kind=Kind.SYNTHETIC, paths=(path.name,), language="en")
        file = InputFile(path, path.name, file_sha256(path), path.stat().st_size)
        calls.append((Partition(source, 0, (file,)), LimitsConfig(), None, folder, SEED))
    with Local(THREADS) as executor:
        partitions = [(number, files[0]) for number, (_, files) in enumerate(executor.run(ingest_partition, calls))]
    names = tuple(Path(stream.name).stem for stream in streams)
    paths = tuple(path for _, path in partitions)
    return Corpus(build_index(partitions).index, paths, names, (Kind.SYNTHETIC,) * SOURCES)


def deduplicate(corpus: Corpus, folder: Path, times: dict[str, float]) -> tuple[ShingleSets, Removal]:
    """Shingle and deduplicate, as the tasks do."""
    config = DedupeConfig()
    workplace = Workplace(folder / "work", THREADS)

    def shingled() -> ShingleSets:
        leaders = group_leaders(corpus, preference_order(corpus, config))
        return shingle_sets(corpus.canonical(leaders))

    sets = timed("shingles", shingled, times)
    removal = timed("dedupe", lambda: remove_duplicates(corpus, config, signature_seed(SEED), workplace), times)
    return sets, removal


@dataclass(frozen=True)
class Known(CorpusMaterial):
    """A corpus whose attributes are held in memory."""

    keys: dict[str, NDArray[Any]]

    def attribute(self, signal: str, column: str) -> NDArray[Any]:
        """Keys of skeletons: the one signal that lenses look at here."""
        del signal
        return self.keys[column]


def measure(corpus: Corpus, sets: ShingleSets, removal: Removal, times: dict[str, float]) -> Ledger:
    """Measure the three stages, as the task does."""
    every = np.arange(len(corpus))
    texts = corpus.take(every, ["text"])
    keys = timed("skeletons", lambda: values_of("template", texts), times)
    settings = LensSettings(0.8, signature_seed(SEED), THREADS)
    clock = [time.perf_counter()]

    def after(what: str) -> None:
        clock.append(time.perf_counter())
        times[what] = clock[-1] - clock[-2]

    indexes = build_indexes(Known(corpus, Attributes.of(corpus, {}), sets, settings, keys), after)
    kept = removal.is_kept.astype(np.int64)
    copies = (np.ones(len(corpus), np.int64), kept, kept * (1 + (np.arange(len(corpus)) % 2)))
    stages = [StageCopies(name.value, found) for name, found in zip(Stage, copies, strict=True)]
    survey = Survey(corpus, indexes, stages, PROBES, SEED)
    clock.append(time.perf_counter())
    part = count_part(survey.sheet)
    after("counts of species")
    rows, heavy, populations = measure_stages(survey, part, after=after)
    header = LedgerHeader(
        seed=SEED,
        threshold=0.8,
        probes_per_source=PROBES,
        sources=list(corpus.sources),
        kinds=list(corpus.kinds),
        populations=populations,
    )
    return Ledger(header, rows, heavy)


def main() -> int:
    """Print what each step took, and the share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--documents", type=int, default=120_000)
    arguments = parser.parse_args()
    times: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = timed("reading", lambda: read_corpus(arguments.data, arguments.documents, folder), times)
        for _ in range(2):  # the first also compiles
            sets, removal = deduplicate(corpus, folder, times)
            ledger = measure(corpus, sets, removal, times)
        write_ledger(ledger, folder / "ledger")
        timed("reload", lambda: read_ledger(folder / "ledger"), times)
        megabytes = int(corpus.text_bytes.sum()) / 1e6
    print("| step | seconds | MB/s | documents/s |\n|---|--:|--:|--:|")
    for step, seconds in times.items():
        rate = max(seconds, 1e-4)
        print(f"| {step} | {seconds:.2f} | {megabytes / rate:,.0f} | {len(corpus) / rate:,.0f} |")
    base = times["shingles"] + times["dedupe"]
    cost = sum(times[step] for step in SUMMED) / base
    print(f"exact, near and seed lenses on top of deduplication: {cost:.3f} of its {base:.2f} s")
    return 0 if cost <= MOST_COST and times["reload"] < MOST_RELOAD_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
