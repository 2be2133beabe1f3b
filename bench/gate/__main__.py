"""Calibrate the gate: `python -m bench.gate --out DIR --worlds 600 --split score`, then `--report PAGE`.

Bounds are chosen on the split `choose`, worlds made of the text of `--corpora`, and scored on the split `score`, worlds
made of text that the machine has anyway. What is there already is not made again. Target: false GO of narrow worlds at
most 2 %, false NO-GO of healthy ones at most 1 %, UNKNOWN on healthy ones at most 5 %.
"""

import argparse
import sys
from pathlib import Path

from bench.gate.command import through_command
from bench.gate.corpora import folder_corpora, keep_corpora
from bench.gate.installed import installed_corpora, unpacked_corpora
from bench.gate.page import write_page
from bench.gate.run import CORPORA, WORLDS, run_worlds
from bench.gate.said import count_worlds
from bench.gate.worlds import Worlds

SEED = 20261130


def main() -> int:
    """Make worlds, or tell of them; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the worlds")
    parser.add_argument("--worlds", type=int, default=0, help="number of worlds, half of them narrow")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--split", choices=("choose", "score", "packages"), default="score")
    parser.add_argument(
        "--corpora", type=Path, help="`choose`: folder of KIND__NAME.jsonl.zst; `packages`: of packages"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="worlds whose names hold this")
    parser.add_argument("--through-command", type=int, default=0, help="worlds of each side to run as a command too")
    parser.add_argument("--report", type=Path, help="page to write")
    arguments = parser.parse_args()
    if arguments.worlds:
        if not (arguments.out / CORPORA).is_dir():
            _prepare(arguments.out, arguments.split, arguments.corpora)
        worlds = Worlds(folder_corpora(arguments.out / CORPORA), arguments.seed)
        names = [name for name in worlds.names(arguments.worlds) if arguments.only in name]
        run_worlds(arguments.out, names, arguments.seed, arguments.workers)
        count_worlds(arguments.out, names, arguments.seed)
    if arguments.through_command and _differ(arguments.out, arguments.through_command, arguments.seed):
        return 1
    return int(not write_page(arguments.out, arguments.report)) if arguments.report else 0


def _differ(out: Path, count: int, seed: int) -> bool:
    """Run some worlds of each side as a command; true if a verdict is not the core's."""
    kept = sorted(path.stem for path in (out / WORLDS).glob("*.json"))
    sides = ([name for name in kept if name.startswith(side)] for side in ("narrow", "healthy"))
    chosen = [name for side in sides for name in side[:: max(1, len(side) // count)][:count]]
    found = False
    for name, core, command in through_command(out, chosen, seed):
        print(f"{name}: {core} by the core, {command} by the command", flush=True)
        found |= core != command
    return found


def _prepare(out: Path, split: str, folder: Path | None) -> None:
    """Gather the real text of a split, once."""
    if split == "score":
        keep_corpora(installed_corpora(), out / CORPORA)
    elif folder is None:
        sys.exit(f"--split {split} needs --corpora")
    else:
        keep_corpora(folder_corpora(folder) if split == "choose" else unpacked_corpora(folder), out / CORPORA)


if __name__ == "__main__":
    sys.exit(main())
