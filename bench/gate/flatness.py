"""Do numbers that close the gate change with size alone? `python -m bench.gate.flatness --corpora DIR --report PAGE`.

Healthy text, every source whole and then in halves: each line of the table has half of the documents of the line below
it, of every source, drawn at random and nested. What falls with size alone is no bound for a corpus of another size.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.gate.corpora import RealCorpus, folder_corpora
from bench.gate.installed import installed_corpora
from bench.gate.narrow import Draft
from bench.gate.page import table
from bench.gate.run import run_world
from bench.gate.score import SHIPPED_BOUNDS
from bench.gate.worlds import World, WorldSource
from polyculture.gate.drawn import drawn_of
from polyculture.gate.narrow import share_of_said
from polyculture.statistics.intervals import Interval
from schemas.measures import Stage

HALVINGS = 6
HEAD = (
    "documents", "count as one", "near", "meaning", "alike, not verified",
    "narrow", "by twins", "by passages", "by frames",
)  # fmt: skip


def main() -> int:
    """Measure every size, the smallest first, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, action="append", default=[], help="folder of KIND__NAME.jsonl.zst")
    parser.add_argument("--given-only", action="store_true", help="leave out the text that the machine has anyway")
    parser.add_argument("--halvings", type=int, default=HALVINGS)
    parser.add_argument("--report", type=Path, help="page to write")
    arguments = parser.parse_args()
    given = [corpus for folder in arguments.corpora for corpus in folder_corpora(folder)]
    found = given if arguments.given_only else [*given, *installed_corpora()]
    corpora = [corpus for corpus in found if corpus.is_healthy]
    rows = []
    for halving in range(arguments.halvings, -1, -1):
        rows.append(measure(corpora, 0.5**halving))
        print(*rows[-1], sep="  ", flush=True)
    if arguments.report:
        arguments.report.write_text(_page(corpora, rows), encoding="utf-8")
    return 0


def measure(corpora: Sequence[RealCorpus], part: float) -> tuple[str, ...]:
    """The line of a part of every corpus: fractions and shares with half of their 95 % intervals."""
    sources = []
    for corpus in corpora:
        kept = corpus.records[: max(1, round(part * len(corpus.records)))]
        sources.append(WorldSource(corpus.name, corpus.kind, tuple(Draft(record.text) for record in kept)))
    world = World(f"flat {part:g}", "healthy", "flat", "plain", "all", tuple(sources))
    with TemporaryDirectory(prefix="flat") as folder:
        found, rows = run_world(world, Path(folder))
    tokens = found["tokens"]
    drawn = drawn_of(rows.drop_columns("is_narrow"), Stage.DISTINCT, tokens) if isinstance(tokens, dict) else None
    if drawn is None:
        raise ValueError(f"{world.name}: a source has no evidence")
    hits = {name: cause.hits(drawn) for name, cause in SHIPPED_BOUNDS.causes.items()}
    every = np.any(list(hits.values()), axis=0)
    fractions = (drawn.mean_inverse(drawn.per_allowed(name)) for name in ("near", "twins", "alike"))
    shares = (share_of_said(drawn, flags) for flags in (every, hits["meaning"], hits["passages"], hits["frames"]))
    documents = sum(len(source.documents) for source in sources)
    shown = [*(_shown(value, 3) for value in fractions), *map(_per_cent, shares)]
    return f"{documents:,}", f"{drawn.times:.3g}", *shown


def _shown(value: Interval, digits: int) -> str:
    return f"{float(value.value):.{digits}f} ± {float(value.high - value.low) / 2:.{digits}f}"


def _per_cent(share: Interval) -> str:
    return f"{float(share.value):.2%} ± {float(share.high - share.low) / 2:.2%}"


def _page(corpora: Sequence[RealCorpus], rows: Sequence[tuple[str, ...]]) -> str:
    names = ", ".join(f"{corpus.name} ({len(corpus.records):,})" for corpus in corpora)
    return f"""# Do the numbers of the gate change with size alone?

`python -m bench.gate.flatness --corpora DIR --report PAGE` makes this page. Every line has half of the documents of the
line below it, of every source; the sources are those that people wrote. Fractions and shares are of tokens, with half
of their 95 % intervals; *near*, *meaning* (verified twins) and *alike* (the same without verification, which closes
nothing) are distinct fractions, the others narrow shares. *Count as one*: how many documents that say one thing count
as one at this size, the square root of how many times larger than 25,000 documents of 50 tokens or more the corpus is.

{table(HEAD, rows)}

Sources, with the number of their texts: {names}.
"""


if __name__ == "__main__":
    sys.exit(main())
