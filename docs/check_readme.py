"""`python -m docs.check_readme [RUNS]`: compare what README quotes with what `make demo` wrote; 1 if anything differs.

`--picture` takes the picture of the report anew (Chromium has to be installed), and notes what it shows.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from polyculture.errors import PolycultureError
from polyculture.evidence.evidence import read_profile
from polyculture.storage.files import write_text
from polyculture.storage.run_directory import RunDirectory, read_manifest, read_verdict
from schemas.measures import Lens, Stage

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "images" / "report.png"
SHOWN = PICTURE.with_suffix(".txt")  # the words of the report that the picture shows
PICTURED = "demo-as-delivered"
COLUMNS = "118"  # of the terminal that README quotes
LEFT_OUT = "..."
EXIT_CODES = (0, 3, 4)
PROSE = re.compile(r"look (\d+) % distinct to a 1 % trial, and are (\d+) % distinct")

Output = Callable[[list[str]], str]


@dataclass(frozen=True, slots=True)
class Quotation:
    """A command that README shows, and the parts of its output that it quotes, in order."""

    arguments: list[str]
    parts: list[list[str]]


def quotations(readme: str) -> Iterator[Quotation]:
    """Every block of README that begins with `$ polyculture`; a line of dots stands for what is left out."""
    for block in re.findall(r"^```\n(\$ polyculture .*?)^```", readme, re.MULTILINE | re.DOTALL):
        command, *lines = block.splitlines()
        parts: list[list[str]] = [[]]
        for line in lines:
            if line.strip() == LEFT_OUT:
                parts.append([])
            else:
                parts[-1] += line.split()
        yield Quotation(shlex.split(command)[2:], [part for part in parts if part])


def differences(readme: str, runs: Path, output: Output) -> Iterator[str]:
    """Sentences on what README quotes and the runs do not say.

    Args:
        readme: its text.
        runs: folder of the run directories.
        output: what a command prints, by its arguments.
    """
    found = list(quotations(readme))
    if not found:
        yield "README quotes no command"
    for quotation in found:
        command = " ".join(quotation.arguments)
        arguments = finished(quotation.arguments, runs)
        words = output(arguments).split()
        at = 0
        for part in quotation.parts:
            start = place_of(part, words, at)
            if start is None:
                yield f"`polyculture {command}` does not print: {_nearest(part, words, at)}"
            else:
                at = start + len(part)
    yield from prose_differences(readme, runs / PICTURED)


def finished(arguments: list[str], runs: Path) -> list[str]:
    """The command that prints the same of a finished run: `gate` for `run`, and the folder where the run lies."""
    if arguments[0] == "run":
        return ["gate", str(runs / Path(arguments[1]).stem.replace("_", "-"))]
    return [str(runs / word[5:]) if word.startswith("runs/") else word for word in arguments]


def place_of(part: list[str], words: list[str], first: int) -> int | None:
    """Where some words stand in a row, from a place on."""
    ends = len(words) - len(part) + 1
    return next((at for at in range(first, ends) if words[at : at + len(part)] == part), None)


def _nearest(part: list[str], words: list[str], first: int) -> str:
    """The longest beginning of a part that is printed, and what differs behind it."""
    best, length = first, 0
    for at in range(first, len(words)):
        same = next((n for n, word in enumerate(part) if words[at + n : at + n + 1] != [word]), len(part))
        if same > length:
            best, length = at, same
    quoted, printed = " ".join(part[:length][-8:]), " ".join(words[best + length : best + length + 8])
    return f"... {quoted} >>{' '.join(part[length : length + 8])}<< but >>{printed}<<"


def prose_differences(readme: str, run: Path) -> Iterator[str]:
    """Percentages of the introduction that the run contradicts."""
    directory = RunDirectory(run)
    profile = read_profile(directory, read_manifest(directory))
    scopes = [s for s in profile.scopes if (s.stage, s.lens) == (Stage.INPUT, Lens.NEAR)]
    if not scopes:
        raise PolycultureError(f"{run}: nothing was measured at the input; run `make demo` again")
    narrow = min(scopes, key=lambda scope: scope.distinct_fraction.value)
    measured = tuple(f"{100 * value:.0f}" for value in (narrow.trial(0.01).value, narrow.distinct_fraction.value))
    said = PROSE.findall(" ".join(readme.split()))
    if not said:
        yield "README does not say how distinct the narrowest source looks to a 1 % trial"
    for pair in said:
        if pair != measured:
            yield f"README says {pair[0]} % and {pair[1]} % distinct; the run says {measured[0]} % and {measured[1]} %"


def shown_words(run: Path) -> str:
    """Words of the first screen of a report."""
    directory = RunDirectory(run)
    verdict = read_verdict(directory)
    lines = [f"{line.label}: {line.text}" for line in verdict.lines]
    return "\n".join([f"{verdict.verdict.value}: {verdict.headline}", *lines]) + "\n"


def picture_differences(run: Path, shown: Path = SHOWN) -> Iterator[str]:
    """Words that the picture does not show as the report has them."""
    noted = shown.read_text(encoding="utf-8") if shown.is_file() else None
    if noted != shown_words(run):
        what = "is of another report" if noted is not None else f"has no {shown.name} that notes what it shows"
        yield f"{PICTURE.name} {what}; take it again: python -m docs.check_readme --picture"


def take_picture(run: Path) -> None:
    """Take the picture of the report, and note what it shows."""
    chromium = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if chromium is None:
        raise PolycultureError("no Chromium is installed; install it, then take the picture again")
    page = (run / "report" / "index.html").resolve().as_uri()
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1200,1640"]
    subprocess.run([chromium, *options, f"--screenshot={PICTURE}", page], check=True, timeout=120)
    write_text(SHOWN, shown_words(run))


def printed(arguments: list[str]) -> str:
    """The standard output of a command, in a terminal of a fixed width.

    Raises:
        PolycultureError: it fails.
    """
    environment = {**os.environ, "COLUMNS": COLUMNS, "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "cli.main", *arguments]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in EXIT_CODES:
        raise PolycultureError(f"polyculture {' '.join(arguments)}: exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def main() -> int:
    """Print every difference."""
    parser = argparse.ArgumentParser(prog="python -m docs.check_readme", description=__doc__)
    parser.add_argument("runs", nargs="?", type=Path, default=ROOT / "runs", help="folder that `make demo` wrote to")
    parser.add_argument("--picture", action="store_true", help="take the picture of the report anew")
    arguments = parser.parse_args()
    runs = arguments.runs.resolve()
    try:
        if arguments.picture:
            take_picture(runs / PICTURED)
            return 0
        found = list(differences(README.read_text(encoding="utf-8"), runs, printed))
        found += picture_differences(runs / PICTURED)
    except (PolycultureError, OSError) as error:
        found = [str(error)]
    for difference in found:
        print(difference, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
