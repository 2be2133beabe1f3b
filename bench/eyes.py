"""Pairs that deduplication takes for the same: `python -m bench.eyes --data DIR [--show N]`.

Counts what leaves each source of DIR/dev, and the near-duplicates that have other operators than what stays in their
place. The operators are those that the gate's second look counts in stored texts. Target: nothing leaves at similarity
1 with other operators.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from bench.corpora import real_documents
from polyculture.deduplication.engine import find_near_duplicates, sketch_documents
from polyculture.deduplication.search import Workplace
from polyculture.deduplication.second_look import operators
from polyculture.text.texts import as_texts
from schemas.dedupe_config import NearConfig

THRESHOLD = 0.8
KINDS = ("expert", "web", "synthetic")  # most preferred first


def removals(texts: list[str], kinds: list[str]) -> pl.DataFrame:
    """A row for each document that leaves: document, kept, similarity, exact."""
    config = NearConfig(threshold=THRESHOLD)
    with tempfile.TemporaryDirectory() as folder:
        workplace = Workplace(Path(folder), 2)
        started = time.perf_counter()
        sketched = sketch_documents(as_texts(pa.array(texts, pa.large_string())), config, 1, workplace)
        frame = pl.DataFrame(
            {
                "left": sketched.keys[:, 0],
                "right": sketched.keys[:, 1],
                "kind": [KINDS.index(kind) for kind in kinds],
                "characters": sketched.characters,
                "at": np.arange(len(texts)),
            }
        ).sort(["kind", "characters", "at"], descending=[False, True, False])
        leaders = frame.with_columns(leader=pl.col("at").first().over("left", "right"))
        preference = leaders.filter(pl.col("at") == pl.col("leader"))["at"].to_numpy()
        found = find_near_duplicates(sketched, preference, THRESHOLD, workplace)
        sketched.discard()
        print(f"{len(texts):,} documents in {time.perf_counter() - started:.1f} s")
    leader = leaders.sort("at")["leader"].to_numpy()
    kept = found.kept[leader]
    every = pl.DataFrame(
        {
            "document": np.arange(len(texts)),
            "kept": kept,
            "similarity": found.similarity[leader],
            "is_exact": kept == leader,
        }
    )
    return every.filter(pl.col("document") != pl.col("kept"))


def main() -> int:
    """Print the tables; 1 if the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--show", type=int, default=0, help="pairs of other operators to print of each source")
    arguments = parser.parse_args()
    sources = real_documents(arguments.data)
    texts = [text for found in sources.values() for text in found]
    names = [name for name, found in sources.items() for _ in found]
    removed = removals(texts, [name.split("__")[0] for name in names])
    counted = {number: operators(texts[number]) for pair in ("document", "kept") for number in removed[pair].to_list()}
    removed = removed.with_columns(
        source=pl.Series([names[number] for number in removed["document"]], dtype=pl.String),
        is_other=pl.Series(
            [counted[d] != counted[k] for d, k in removed.select("document", "kept").iter_rows()], dtype=pl.Boolean
        ),
    )
    near = ~pl.col("is_exact")
    same = near & (pl.col("similarity") == 1)
    table = removed.group_by("source").agg(
        exact=(~near).sum(),
        near=near.sum(),
        same=same.sum(),
        same_other=(same & pl.col("is_other")).sum(),
        other=(near & pl.col("is_other")).sum(),
    )
    rows = {row[0]: np.array(row[1:]) for row in table.iter_rows()}
    print("| source | documents | exact | near | leave | at 1.00 | other operators | near with other operators |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    none = np.zeros(5, np.int64)
    for name, found in sources.items():
        print(_line(name, len(found), rows.get(name, none)))
    total = sum(rows.values(), none)
    print(_line("all", len(texts), total))
    _show(removed.filter(near & pl.col("is_other")), texts, counted, arguments.show)
    return int(total[3] > 0)


def _line(name: str, documents: int, counts: NDArray[np.int64]) -> str:
    exact, near, same, same_other, other = counts.tolist()
    leave = (exact + near) / documents
    return f"| {name} | {documents:,} | {exact:,} | {near:,} | {leave:.2%} | {same} | {same_other} | {other} |"


def _show(removed: pl.DataFrame, texts: list[str], counted: dict[int, Counter[str]], most: int) -> None:
    """Print some pairs of each source, with the operators that one has and the other lacks."""
    for _, rows in removed.group_by("source", maintain_order=True):
        for row in rows.head(most).iter_rows(named=True):
            one, other = counted[row["document"]], counted[row["kept"]]
            print(f"\n{row['source']} {row['similarity']:.3f}: -{dict(one - other)} +{dict(other - one)}")
            print("  leaves:", texts[row["document"]][:400])
            print("  stays: ", texts[row["kept"]][:400])


if __name__ == "__main__":
    sys.exit(main())
