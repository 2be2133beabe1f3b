"""The laws of the gate in a table: `python -m bench.gate.laws_page --report PAGE`; 1 if one is broken."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.gate.installed import package_corpora
from bench.gate.laws import BASES, LAWS, Outcome, base_world, judged_world, try_law
from bench.gate.page import table
from bench.gate.run import reading_once
from bench.gate.worlds import Worlds

PACKAGES, SEED = ("numpy", "scipy", "pyarrow", "polars", "prefect"), 11


def main() -> int:
    """Try every law in every world, print each outcome, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, help="page to write")
    arguments = parser.parse_args()
    outcomes = []
    with reading_once():
        worlds = Worlds(package_corpora(PACKAGES), SEED)
        before = {name: judged_world(base_world(name, worlds)) for name in BASES}
        for law in LAWS:
            for name in BASES:
                outcomes.append(try_law(law, name, worlds, before[name]))
                print(outcomes[-1], flush=True)
    if arguments.report:
        arguments.report.write_text(page(outcomes), encoding="utf-8")
    return int(not all(outcome.holds for outcome in outcomes))


def page(outcomes: Sequence[Outcome]) -> str:
    """The page: laws by worlds, with the verdict before and after."""
    worlds = list(dict.fromkeys(outcome.world for outcome in outcomes))
    found = {(outcome.law, outcome.world): outcome for outcome in outcomes}
    rows = [
        (f"{law.number}: {law.says}", law.must, *(_cell(found[law.number, name]) for name in worlds))
        for law in LAWS
        if all((law.number, name) in found for name in worlds)
    ]
    held = sum(outcome.holds for outcome in outcomes)
    return f"""# The laws of the gate

`python -m bench.gate.laws_page --report PAGE` makes this page. A law says what the verdict on a corpus may do when
the corpus is changed in a way that should not matter, or should matter in one direction only. Each was tried on worlds
of real text (docstrings of installed packages), taken through reading, deduplication, measurement and the gate:
{held:,} of {len(outcomes):,} hold. A cell has the verdict before and after the change; **bold** is broken.

{table(("the change", "the verdict", *worlds), rows)}

On a healthy world that is GO, *never better* cannot fail: such cells say little.
"""


def _cell(outcome: Outcome) -> str:
    words = f"{outcome.before.verdict} → {outcome.after.verdict}"
    return words if outcome.holds else f"**{words}**"


if __name__ == "__main__":
    sys.exit(main())
