"""A run of three narrow sources is under way: what a chosen top-up adds beside a random one of the same tokens.

Run as `python -m bench.top_up --data DIR`; DIR/dev holds the corpora. The parent is game-of-24 answers, school maths
and command-line help pages; the candidates are of all kinds, more of the same among them, and documents that the parent
holds. The reference is a balanced sample of the sources that are not narrow, which no candidate is of. Prints the
numbers of the parent, of what was consumed, after the top-up and after a random one. Fails if the effective number of
species through the semantic lens or the coverage of the reference is not above the random top-up's by its target.
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
import zstandard

from polyculture.report.top_up import mixture_rows, sentences, source_rows_of
from schemas.measures import Lens
from schemas.top_up import MixtureMeasured, MixtureName, TopUp

LEAST_HILL_RATIO = 1.1  # H1 of the semantic lens, after the chosen top-up over after the random one
LEAST_COVERAGE_RATIO = 1.0  # the same of the coverage of the reference
DOCUMENTS, REFERENCE_DOCUMENTS, MOST_CHARACTERS = 1_000, 60, 8_000  # of a source; of a document
TOKENS, TOKENS_PER_STEP = 200_000, 1_000
NARROW = ("synthetic__tot_gpt4_game24", "expert__gsm8k_train", "web__tldr")
MORE_OF_THE_SAME = ("web__tldr_more", "expert__gsm8k_train", "synthetic__tot_gpt4_game24", "synthetic__zeroeval_gsm")
BROAD = (
    "web__18f", "web__digitalgov", "web__de_gesetze", "web__nodejs_org", "web__xquad_wikipedia", "web__drcd_zhwiki",
    "expert__openlogic", "expert__openstax_modules", "expert__openstax_worked",
    "synthetic__gpteacher_codegen", "synthetic__gpteacher_roleplay", "synthetic__gpteacher_toolformer",
    "synthetic__smile_zh",
)  # fmt: skip


def lines(data: Path, name: str) -> list[bytes]:
    """The records of a corpus whose text is not too long, in the order of the file."""
    with (data / "dev" / f"{name}.jsonl.zst").open("rb") as packed:
        stream = io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(packed))
        return [line.strip() for line in stream if len(json.loads(line)["text"]) <= MOST_CHARACTERS]


def write_source(folder: Path, name: str, kind: str, records: list[bytes]) -> dict[str, object]:
    """A source of these records, and its file."""
    (folder / f"{name}.jsonl").write_bytes(b"\n".join(records) + b"\n")
    return {"name": name, "kind": kind, "paths": [f"{name}.jsonl"]}


def write_configs(data: Path, folder: Path) -> None:
    """The parent's configuration and the candidates'."""
    parent, candidates, reference = [], [], []
    for name in NARROW:
        kind, _, stem = name.partition("__")
        parent.append(write_source(folder, stem, kind, lines(data, name)[:DOCUMENTS]))
    for name in (*MORE_OF_THE_SAME, *BROAD):
        kind, _, stem = name.partition("__")
        records = lines(data, name)
        if name in BROAD:
            step = max(1, len(records) // REFERENCE_DOCUMENTS)
            reference += records[::step][:REFERENCE_DOCUMENTS]
            records = [record for number, record in enumerate(records) if number % step]
        # of the parent's own sources, a half that it holds and a half that it does not
        start = DOCUMENTS // 2 if name in NARROW else 0
        candidates.append(write_source(folder, f"new_{stem}", kind, records[start : start + DOCUMENTS]))
    trusted = write_source(folder, "reference", "expert", reference)
    shared = {"measure": {"probes": 200, "semantic": {"probes": 200}}}
    limits = {"rates": {"reference": 0}, "kinds": {"synthetic": {"max_fraction": 0.3}}}
    repeats = {"rates": {"tot_gpt4_game24": 2}, "max_epochs": 2}
    configs: dict[str, dict[str, object]] = {
        "parent": {"name": "parent", "sources": parent, "mixture": repeats, **shared},
        "candidates": {
            "name": "candidates",
            "sources": [*candidates, trusted],
            "reference": ["reference"],
            "mixture": limits,
            **shared,
        },
    }
    for name, config in configs.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(config))


def polyculture(*arguments: str | Path) -> None:
    """Run a command of this checkout."""
    command = [sys.executable, "-m", "cli.main", *map(str, arguments), "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode not in (0, 3, 4):
        raise SystemExit(f"polyculture {arguments[0]}: {ended.stdout}{ended.stderr}")


def table(rows: list[list[str]]) -> str:
    """Rows as a Markdown table."""
    body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([body[0], "|---" + "|--:" * (len(rows[0]) - 1) + "|", *body[1:]])


def mixture(found: TopUp, name: MixtureName) -> MixtureMeasured:
    """One of the mixtures, which is there."""
    measured = found.mixture(name)
    if measured is None:
        raise SystemExit(f"{name} was not measured")
    return measured


def hill(measured: MixtureMeasured) -> float:
    """H1 through the semantic lens."""
    numbers = measured.lens(Lens.SEMANTIC_90)
    return numbers.hill_1.value if numbers else 0.0


def covered(measured: MixtureMeasured) -> float:
    """Share of the reference's points that are covered."""
    return measured.reference.coverage.share.value if measured.reference else 0.0


def main() -> int:
    """Print the tables; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data = parser.parse_args().data
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_configs(data, folder)
        polyculture("run", folder / "parent.yaml", "--out", folder / "parent")
        manifest = json.loads((folder / "parent" / "manifest.json").read_bytes())
        steps = sum(source["written_tokens"] for source in manifest["conservation"]) // (2 * TOKENS_PER_STEP)
        polyculture(
            "top-up", folder / "parent", "--consumed", str(steps), "--tokens-per-step", str(TOKENS_PER_STEP),
            "--candidates", folder / "candidates.yaml", "--tokens", str(TOKENS), "--out", folder / "top_up",
        )  # fmt: skip
        found = TopUp.model_validate_json((folder / "top_up" / "top_up.json").read_bytes())
    print(table(source_rows_of(found)), table(mixture_rows(found)), *sentences(found), sep="\n\n")
    before, after, random = mixture(found, "before"), mixture(found, "after"), mixture(found, "random")
    ratio, covers = hill(after) / hill(random), covered(after) / max(covered(random), 1e-9)
    print(
        f"\nH1 (semantic .90) before {hill(before):,.0f}, random {hill(random):,.0f}, chosen {hill(after):,.0f}: "
        f"{ratio:.2f} x random (target: at least {LEAST_HILL_RATIO}); coverage before {covered(before):.3f}, "
        f"random {covered(random):.3f}, chosen {covered(after):.3f}: {covers:.2f} x random "
        f"(target: above {LEAST_COVERAGE_RATIO})"
    )
    return int(ratio < LEAST_HILL_RATIO or covers <= LEAST_COVERAGE_RATIO)


if __name__ == "__main__":
    sys.exit(main())
