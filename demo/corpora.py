"""Build the three corpora of the demo: `python -m demo.corpora --out DIR`.

A corpus whose file is there, with the digest and the version that were recorded when it was built, is left alone.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo import expert, synthetic, web
from demo.corpus import Corpus
from schemas.documents import Kind

RECORD = "corpora.json"
BUILDERS: dict[str, tuple[Callable[[Path], Corpus], Callable[[], str]]] = {
    "aws_docs": (web.build, web.version),
    "scientific_code": (expert.build, expert.version),
    "worked_problems": (synthetic.build, synthetic.version),
}


@dataclass(frozen=True, slots=True)
class Built:
    """A corpus, the seconds that building or checking it took, and whether it was built now."""

    corpus: Corpus
    seconds: float
    is_new: bool


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recorded(out: Path) -> dict[str, dict[str, object]]:
    """The record about the corpora in `out`; empty if nothing readable was recorded."""
    try:
        content = json.loads((out / RECORD).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def describe(corpus: Corpus, version: str) -> dict[str, object]:
    """The entry of one corpus in the record."""
    return {
        "kind": corpus.kind.value,
        "file": corpus.path.name,
        "documents": corpus.documents,
        "text_bytes": corpus.text_bytes,
        "version": version,
        "sha256": file_digest(corpus.path),
    }


def reuse(out: Path, name: str, entry: Mapping[str, object], version: str) -> Corpus | None:
    """The corpus as recorded, if version and digest still fit; else None."""
    path = out / str(entry.get("file", name))
    documents, text_bytes = entry.get("documents"), entry.get("text_bytes")
    if entry.get("version") != version or not isinstance(documents, int) or not isinstance(text_bytes, int):
        return None
    if not path.is_file() or file_digest(path) != entry.get("sha256"):
        return None
    return Corpus(name, Kind(str(entry["kind"])), path, documents, text_bytes)


def write_record(out: Path, entries: Mapping[str, object]) -> None:
    """Write the record under another name and rename it."""
    unfinished = out / f"{RECORD}.partial"
    unfinished.write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    unfinished.replace(out / RECORD)


def build_corpora(out: Path) -> list[Built]:
    """Build what is missing or out of date in `out`, and record it.

    Args:
        out: folder, made if it does not exist.

    Raises:
        PolycultureError: a package whose text is used is not installed.
    """
    out.mkdir(parents=True, exist_ok=True)
    entries = recorded(out)
    rows = []
    for name, (build, version) in BUILDERS.items():
        started = time.perf_counter()
        old = reuse(out, name, entries.get(name, {}), version())
        corpus = old or build(out)
        if old is None:
            entries[name] = describe(corpus, version())
            write_record(out, entries)
        rows.append(Built(corpus, time.perf_counter() - started, is_new=old is None))
    return rows


def print_table(rows: Sequence[Built]) -> None:
    """A small plain table of the corpora."""
    print(f"{'source':<16} {'kind':<10} {'file':<18} {'documents':>9} {'megabytes':>10} {'seconds':>8}")
    for row in rows:
        corpus, note = row.corpus, f"{row.seconds:8.1f}" if row.is_new else "  as was"
        size = f"{corpus.documents:>9} {corpus.text_bytes / 1e6:>10.1f}"
        print(f"{corpus.name:<16} {corpus.kind.value:<10} {corpus.path.name:<18} {size} {note}")
    print("megabytes: text as UTF-8; for aws_docs the HTML, which holds about half as much text")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Build the demo's corpora from text inside installed packages.")
    parser.add_argument("--out", type=Path, default=Path("runs/demo-data"), help="folder (default: %(default)s)")
    print_table(build_corpora(parser.parse_args().out))


if __name__ == "__main__":
    main()
