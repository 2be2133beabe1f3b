"""A world through the core, in this process and without an orchestrator: what `curate` does, but for the shards."""

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench.gate.corpora import folder_corpora
from bench.gate.worlds import World, Worlds
from polyculture import job
from polyculture.compute.in_process import InProcess
from polyculture.corpus import ingest
from polyculture.encoders import encoders
from polyculture.encoders.embedded import embedded as embedded_encoder
from polyculture.measure.repetition.repetition_file import read_repetition
from polyculture.mixture.plan.check import needs_ledger
from polyculture.steps.attributes import add_attributes
from polyculture.steps.canary import canary_folder, write_canary
from polyculture.steps.deduplicate import deduplicate, shingle, write_removed
from polyculture.steps.finish import write_manifest, write_verdict
from polyculture.steps.hold_out import open_distinct
from polyculture.steps.ingest import ingest_source, settle_documents
from polyculture.steps.measure import measure, measure_words
from polyculture.steps.mix import plan_mixture
from polyculture.steps.open import claimed
from polyculture.steps.session import Session
from polyculture.storage.run_directory import read_manifest
from polyculture.text.tokenizer import TokenCounter
from schemas.measures import Stage
from schemas.verdict import Verdict

PROBES, LEAST_PROBES, MOST_DRAWN = 500, 60, 8_000  # of a source; of all together
LEAST_GROUP = 5  # survivors that say one thing: fewer are repeats, and not yet narrow
WORLDS_OF_A_PROCESS = 40
MOST_PASSAGES = 20
CORPORA, WORLDS, ROWS = "corpora", "worlds", "rows"


def run_worlds(out: Path, names: Sequence[str], seed: int, workers: int) -> None:
    """Judge the worlds that are not there yet, each worker many in sequence."""
    missing = [name for name in names if not (out / WORLDS / f"{name}.json").is_file()]
    print(f"{len(names) - len(missing):,} worlds are there, {len(missing):,} are made", flush=True)
    os.environ |= {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    start, done = time.monotonic(), 0
    for batch in batched(missing, workers * WORLDS_OF_A_PROCESS):  # what a process keeps in memory ends with it
        with ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=_open, initargs=(out, seed)
        ) as pool:
            for future in as_completed([pool.submit(_keep, name) for name in batch]):
                done += 1
                took = time.monotonic() - start
                print(f"{done:,}/{len(missing):,} {took:,.0f} s  {future.result()}", flush=True)


def batched(names: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """Names in parts of so many."""
    return (names[start : start + most] for start in range(0, len(names), most))


_opened: tuple[Path, Worlds] | None = None


def _open(out: Path, seed: int) -> None:
    """Read the corpora, once a process."""
    reading_once().__enter__()
    global _opened  # noqa: PLW0603 -- what a worker process holds
    _opened = out, Worlds(folder_corpora(out / CORPORA), seed)


@contextmanager
def reading_once() -> Iterator[None]:
    """Let this process read tokenizer and encoder once, and not once for every file of a world."""
    embedded, counter = lru_cache(embedded_encoder), lru_cache(TokenCounter)
    known = {**encoders.ENCODERS, "embedded": lambda path, config: embedded(path, config.languages)}
    with (
        patch.object(ingest, "TokenCounter", counter),
        patch.object(job, "TokenCounter", counter),
        patch.object(encoders, "ENCODERS", known),
    ):
        yield


def _keep(name: str) -> str:
    """Judge a world and keep what it showed; a line about it."""
    if _opened is None:
        raise RuntimeError("the worker has no corpora")
    out, worlds = _opened
    start = time.process_time()
    world = worlds.make(name)
    made = time.process_time() - start
    with TemporaryDirectory(prefix="world") as folder:
        found, rows = run_world(world, Path(folder))
    found |= {"made_seconds": made, "seconds": time.process_time() - start}
    for part in (WORLDS, ROWS):
        (out / part).mkdir(exist_ok=True)
    pq.write_table(rows, out / ROWS / f"{name}.parquet", compression="zstd")
    kept = out / WORLDS / f"{name}.json"
    kept.with_suffix(".part").write_bytes(orjson.dumps(found))
    kept.with_suffix(".part").rename(kept)
    return f"{name}: {found['verdict']}, truly {found['narrow']:.1%}, {found['seconds']:.1f} s of CPU"


def run_world(world: World, folder: Path) -> tuple[dict[str, object], pa.Table]:
    """Judge a world in a folder.

    Returns:
        What it is and what was found, and the drawn documents with a column `is_narrow`.
    """
    config, groups = write_world(world, folder)
    with InProcess() as executor, claimed("run", config, folder / "run") as run:
        session = Session(run, executor)
        _measure(session)
        verdict = write_verdict(run.directory, datetime.now(UTC).date())
        corpus = session.workspace.open_corpus()
        kept = open_distinct(run, len(corpus))
        ids = corpus.document_ids(np.arange(len(corpus)))
        copies = session.workspace.open_copies()
        truth = truth_of([groups[name] for name in ids], kept, corpus.tokens * copies)
        held = read_manifest(run.directory).tokens_held()
        evidence = read_repetition(run.directory.ledger)
    narrow = {name for name, is_narrow in zip(ids, truth.is_narrow, strict=True) if is_narrow}
    rows = marked(evidence.rows, narrow) if evidence is not None else pa.table({})
    passages = evidence.passages["documents"].to_pylist()[:MOST_PASSAGES] if evidence is not None else []
    found = {
        **{name: getattr(world, name) for name in ("name", "side", "family", "form", "base", "reference")},
        "narrow": truth.narrow, "doubtful": truth.doubtful, "documents": len(corpus), "sources": len(world.sources),
        "tokens": held, "answers": {s.name: s.answers for s in world.sources if s.answers},
        "passages": passages, **_said(verdict),
    }  # fmt: skip
    return found, rows


def write_world(world: World, folder: Path) -> tuple[dict[str, object], dict[str, str]]:
    """Write the files of a world; returns its configuration, and the group of each document by its id."""
    groups: dict[str, str] = {}
    sources = []
    for source in world.sources:
        path, lines = folder / f"{source.name}.jsonl", []
        for draft in source.documents:
            name = f"{len(groups):06d}"
            groups[f"{source.name}:{name}"] = draft.group
            lines.append(
                json.dumps({"id": name, "text": draft.text} | ({"seed": draft.prompt} if draft.prompt else {}))
            )
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        declared: dict[str, object] = {"language": source.language} if source.language else {}
        declared |= {"answers_per_prompt": source.answers} if source.answers else {}
        sources.append({"name": source.name, "kind": source.kind, "paths": [str(path)], **declared})
    probes = max(LEAST_PROBES, min(PROBES, MOST_DRAWN // len(sources)))
    rates = {source.name: source.rate for source in world.sources if source.rate != 1}
    config: dict[str, object] = {
        "name": "world",
        "sources": sources,
        "reference": list(world.reference),
        "measure": {"probes": probes, "semantic": {"probes": probes}},
        "mixture": {"rates": rates},
    }
    for key, value in world.settings.items():
        was = config.get(key)
        config[key] = {**was, **value} if isinstance(was, dict) and isinstance(value, Mapping) else value
    return config, groups


def _measure(session: Session) -> None:
    accounts = settle_documents(session, [(name, ingest_source(session, name)) for name in sorted(session.job.inputs)])
    add_attributes(session)
    _plant(session)
    shingle(session)
    deduplicate(session)
    write_removed(session)
    if needs_ledger(session.job.config.mixture):
        raise ValueError("the rates of a world are given")
    plan_mixture(session)
    measure(session, (Stage.DISTINCT, Stage.MIXTURE))
    measure_words(session)
    write_manifest(session, accounts, [])


_canaries: dict[int, TemporaryDirectory[str]] = {}


def _plant(session: Session) -> None:
    """Plant the canary, which is the same in every world of a seed: this process makes it once."""
    folder, seed = canary_folder(session.workspace), session.job.config.seed
    if seed in _canaries:
        shutil.copytree(_canaries[seed].name, folder, dirs_exist_ok=True)
        return
    write_canary(session)
    _canaries[seed] = TemporaryDirectory(prefix="canary")
    shutil.copytree(folder, _canaries[seed].name, dirs_exist_ok=True)


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth about a world, as its generator knows it.

    Attributes:
        narrow: share of the mixture's tokens in documents that say what five survivors or more say.
        doubtful: share in documents that say what two to four say.
        is_narrow: (n,) which documents are narrow.
    """

    narrow: float
    doubtful: float
    is_narrow: NDArray[np.bool_]


def truth_of(groups: Sequence[str], is_kept: NDArray[np.bool_], tokens: NDArray[np.int64]) -> Truth:
    """The truth, from what survived of every group.

    Args:
        groups: of n documents, what each says again; empty for none.
        is_kept: (n,) which documents deduplication left.
        tokens: (n,) tokens of the mixture in each.
    """
    left = Counter(group for group, kept in zip(groups, is_kept.tolist(), strict=True) if group and kept)
    size = np.array([left[group] if group else 1 for group in groups]) * is_kept
    total = max(1, int(tokens.sum()))
    is_narrow, is_doubtful = size >= LEAST_GROUP, (size > 1) & (size < LEAST_GROUP)
    return Truth(int(tokens[is_narrow].sum()) / total, int(tokens[is_doubtful].sum()) / total, is_narrow)


def marked(rows: pa.Table, narrow: Collection[str]) -> pa.Table:
    """Drawn documents without their ids, and whether each is narrow."""
    is_narrow = pa.array([name in narrow for name in rows["document_id"].to_pylist()])
    return rows.drop_columns("document_id").append_column("is_narrow", is_narrow)


def _said(verdict: Verdict) -> dict[str, object]:
    """The verdict, and the numbers of every check."""
    kept = {"name", "scope", "severity", "outcome", "observed", "low", "high", "bound", "lens", "weighting", "stage"}
    checks = [check.model_dump(mode="json", include=kept) for check in verdict.checks]
    lines = [f"{line.label}: {line.text}" for line in verdict.lines]
    return {"verdict": verdict.verdict.value, "headline": verdict.headline, "lines": lines, "checks": checks}
