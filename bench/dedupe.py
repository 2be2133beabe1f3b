"""Near-duplicate removal against its peers: `python -m bench.dedupe [--data DIR] [--write docs/performance.md]`.

Targets: 100,000 documents a second on two threads; 15 times the fastest peer; recall and precision .99.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pyarrow as pa
import xxhash

from bench.corpora import Pair, documents, similar_pairs, write_corpus
from bench.dedupe_tools import OURS, THREADED, TOOLS
from schemas.dedupe_config import NearConfig

TARGET_DOCUMENTS_PER_SECOND = 100_000
TARGET_TIMES_FASTEST_PEER = 15
TARGET_RECALL = TARGET_PRECISION = 0.99
THRESHOLD = 0.8
PAGE = Path(__file__).with_name("performance.md")


@dataclass(frozen=True)
class Result:
    """One tool on one corpus, median of the runs.

    Attributes:
        documents_per_second: wall time, from the file to the decision.
        recall: share of the documents that brute force removes which the tool removes, or leaves without a twin.
        precision: share of the removed documents that have a twin.
        peak_bytes: memory above what the warmed-up process held, without pages of mapped files.
    """

    tool: str
    threads: int
    documents: int
    documents_per_second: float
    recall: float
    precision: float
    peak_bytes: int


class Truth:
    """Findings of brute force over all pairs of a corpus."""

    def __init__(self, texts: list[str]) -> None:
        self.pairs = similar_pairs(texts, THRESHOLD)
        self.twins: dict[int, set[int]] = defaultdict(set)
        for pair in self.pairs:
            self.twins[pair.left].add(pair.right)
            self.twins[pair.right].add(pair.left)
        order = sorted(range(len(texts)), key=lambda i: (-len(texts[i].encode()), i))
        kept: set[int] = set()
        self.removed = set()
        for document in order:
            if self.twins[document] & kept:
                self.removed.add(document)
            else:
                kept.add(document)

    def judge(self, removed: set[int]) -> tuple[float, float]:
        """Recall and precision of a removal."""
        found = sum(d in removed or self.twins[d] <= removed for d in self.removed)
        right = sum(bool(self.twins.get(d)) for d in removed)
        return found / max(1, len(self.removed)), right / max(1, len(removed))


def run_tool(tool: str, path: Path, threads: int) -> dict[str, Any]:
    """One run in a process of its own."""
    command = [sys.executable, "-m", "bench.dedupe_tools", tool, str(path), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{tool}: {done.stderr.strip().splitlines()[-1]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure(tool: str, path: Path, threads: int, truth: Truth | None, repeats: int) -> Result:
    """Median of several runs; recall and precision of the last."""
    runs = [run_tool(tool, path, threads) for _ in range(repeats)]
    count = row_count(path)
    recall, precision = truth.judge(set(runs[-1]["removed"])) if truth else (float("nan"), float("nan"))
    seconds = statistics.median(run["seconds"] for run in runs)
    peak = int(statistics.median(run["peak_bytes"] for run in runs))
    return Result(tool, threads, count, count / seconds, recall, precision, peak)


def row_count(path: Path) -> int:
    """Documents in a corpus file."""
    with pa.memory_map(str(path)) as source:
        return int(pa.ipc.open_file(source).read_all().num_rows)


def read_texts(path: Path) -> list[str]:
    """Texts of a corpus file."""
    with pa.memory_map(str(path)) as source:
        texts: list[str] = pa.ipc.open_file(source).read_all()["text"].to_pylist()
    return texts


def floor_documents_per_second(path: Path) -> float:
    """Speed of one thread that does nothing but hash the same bytes (xxh3)."""
    best = 0.0
    for _ in range(3):
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_file(source).read_all()
            started = time.perf_counter()
            for chunk in table["text"].chunks:
                xxhash.xxh3_64_intdigest(chunk.buffers()[2])
            best = max(best, table.num_rows / (time.perf_counter() - started))
    return best


def recall_by_level(pairs: list[Pair], removed: set[int]) -> list[tuple[str, int, float, float]]:
    """Share of the pairs of each level of similarity of which a document is removed; and the banding's own odds."""
    near = NearConfig()
    levels: dict[float, list[Pair]] = defaultdict(list)
    for pair in pairs:
        levels[min(0.95, np.floor(pair.similarity * 20) / 20)].append(pair)
    rows = []
    for level, members in sorted(levels.items()):
        found = sum(pair.left in removed or pair.right in removed for pair in members) / len(members)
        odds = statistics.mean(1 - (1 - pair.similarity**near.rows) ** near.bands for pair in members)
        rows.append((f"{level:.2f} to {level + 0.05:.2f}", len(members), found, odds))
    return rows


def share(value: float) -> str:
    """A fraction; empty if it was not measured."""
    return "" if math.isnan(value) else f"{value:.4f}"


def draw(results: list[Result], path: Path) -> None:
    """A dot for each result, on a scale of ratios."""
    figure, axes = plt.subplots(figsize=(8, 0.42 * len(results) + 1), layout="constrained")
    for place, r in enumerate(results):
        colour = "#1f5aa6" if r.tool == "polyculture" else "#6b7178"
        axes.plot([r.documents_per_second], [place], "o", color=colour, markersize=9)
        speed = f"  {r.documents_per_second:,.0f}"
        axes.text(r.documents_per_second, place, speed, va="center", color=colour)
    names = [f"{r.tool}, {r.threads} thread{'s' * (r.threads > 1)}, {r.documents:,} documents" for r in results]
    axes.set_yticks(range(len(results)), names)
    axes.set(xscale="log", xlabel="documents a second (each line is ten times the one before)")
    axes.set_xlim(1000, 4 * max(r.documents_per_second for r in results))
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def main() -> int:
    """Print the tables; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--documents", type=int, default=200_000)
    parser.add_argument("--checked-documents", type=int, default=20_000)
    parser.add_argument("--scale", type=int, nargs="*", default=[])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines, is_met = compare(arguments, Path(folder))
    text = "\n".join(lines)
    print(text)
    if arguments.write:
        arguments.write.write_text(PAGE.read_text().format(results=text, processors=os.cpu_count()))
    return 0 if is_met else 1


def compare(arguments: argparse.Namespace, folder: Path) -> tuple[list[str], bool]:
    """The report, and whether every target is met."""
    small, large = folder / "small.arrow", folder / "large.arrow"
    write_corpus(small, documents(arguments.data, arguments.checked_documents))
    write_corpus(large, documents(arguments.data, arguments.documents))
    truth = Truth(read_texts(small))
    checked = [measure(tool, small, 1, truth, arguments.repeats) for tool in TOOLS]
    timed = [measure(tool, large, threads, None, arguments.repeats) for tool, threads in timed_tools()]
    ours = {r.threads: r for r in timed if r.tool == OURS}
    larger = []
    for count in arguments.scale:
        path = folder / f"{count}.arrow"
        write_corpus(path, documents(arguments.data, count))
        larger.append(measure(OURS, path, 2, None, arguments.repeats if count <= 1_000_000 else 1))
        path.unlink()
    lines = table([*checked, *timed, *larger])
    lines += [
        "",
        f"Floor: {floor_documents_per_second(large):,.0f} documents/s by hashing the bytes (xxh3, one thread).",
    ]
    lines += ["", "| Jaccard | pairs | found | by the banding alone |", "|---|--:|--:|--:|"]
    removed = set(run_tool(OURS, small, 1)["removed"])
    for level, count, found, odds in recall_by_level(truth.pairs, removed):
        lines.append(f"| {level} | {count:,} | {found:.4f} | {odds:.4f} |")
    lines += ["", *ratios(timed), *growth(ours[2], larger)]
    if arguments.write:
        draw([*checked, *timed, *larger], arguments.write.parent / "images" / "performance.png")
    best = ours[2].documents_per_second
    is_met = (
        best >= TARGET_DOCUMENTS_PER_SECOND
        and best >= TARGET_TIMES_FASTEST_PEER * max(r.documents_per_second for r in timed if r.tool != OURS)
        and checked[0].recall >= TARGET_RECALL
        and checked[0].precision >= TARGET_PRECISION
    )
    return lines, is_met


def timed_tools() -> list[tuple[str, int]]:
    """Every tool on one thread, and those that can on two."""
    return [(tool, 1) for tool in TOOLS] + [(tool, 2) for tool in THREADED]


def table(results: list[Result]) -> list[str]:
    """A row for each result."""
    lines = ["| tool | threads | documents | documents/s | recall | precision | bytes/document above start |"]
    lines += ["|---|--:|--:|--:|--:|--:|--:|"]
    for r in results:
        lines.append(
            f"| {r.tool} | {r.threads} | {r.documents:,} | {r.documents_per_second:,.0f} | {share(r.recall)} "
            f"| {share(r.precision)} | {r.peak_bytes / r.documents:,.0f} |"
        )
    return lines


def ratios(timed: list[Result]) -> list[str]:
    """Ours against every peer on the same documents, at the same number of threads and at the best of each."""
    ours = {r.threads: r.documents_per_second for r in timed if r.tool == OURS}
    lines = ["| polyculture is faster than | same threads | two threads against that |", "|---|--:|--:|"]
    for r in timed:
        if r.tool != OURS:
            name = f"{r.tool}, {r.threads} thread{'s' * (r.threads > 1)}"
            same, most = ours[r.threads] / r.documents_per_second, ours[2] / r.documents_per_second
            lines.append(f"| {name} | {same:.1f} x | {most:.1f} x |")
    return lines


def growth(base: Result, larger: list[Result]) -> list[str]:
    """Cost of each further document."""
    lines = []
    for result in larger:
        more = (result.peak_bytes - base.peak_bytes) / (result.documents - base.documents)
        slower = base.documents_per_second / result.documents_per_second
        lines += [f"From {base.documents:,} to {result.documents:,} documents: {more:,.0f} bytes of memory for each;"]
        lines += [f"time per document {slower:.2f} times as long."]
    return ["", *lines] if lines else []


if __name__ == "__main__":
    sys.exit(main())
