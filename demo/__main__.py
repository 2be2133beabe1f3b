"""`python -m demo [--out DIR]`: build the corpora, and run both configurations on them as a person would."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from demo.corpora import build_corpora, print_table

ROOT = Path(__file__).resolve().parent.parent
CONFIGS, DATA = ROOT / "configs", ROOT / "runs" / "demo-data"  # where the configurations look for the corpora
STORY = (
    (
        "demo_as_delivered.yaml",
        "as delivered: the vendors say that they deduplicated, so duplicates are only measured",
        3,
    ),
    ("demo_curated.yaml", "curated: near-duplicates leave, and synthetic text is capped at 1 % of the tokens", 0),
)


def main() -> int:
    """Tell the story; 0 if the gate closed on the first configuration and opened on the second."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs"), help="where the run directories go")
    arguments = parser.parse_args()
    start = time.monotonic()
    print("Building three corpora from text inside installed packages (see THIRD_PARTY.md) ...", flush=True)
    print_table(build_corpora(DATA))
    for name, what, expected in STORY:
        print(f"\n== {what}\n$ polyculture run configs/{name}\n", flush=True)
        out = arguments.out / Path(name).stem.replace("_", "-")
        command = [sys.executable, "-m", "cli.main", "run", str(CONFIGS / name), "--out", str(out)]
        code = subprocess.run(command, check=False).returncode
        if code != expected:
            print(f"the demo expected exit code {expected} and got {code}", file=sys.stderr)
            return 1
    print(f"\n{time.monotonic() - start:.0f} seconds in all.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
