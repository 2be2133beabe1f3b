"""The parent and what may be added to it as one corpus, so that both are measured by the same probes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus
from polyculture.top_up.job import TopUpJob
from polyculture.top_up.leave_out import without
from schemas.top_up import MixtureName

Flags = NDArray[np.bool_]


def where(corpus: Corpus) -> NDArray[np.uint64]:
    """(n,) partition and row of each document in one number."""
    partition, row = (corpus.column(name).astype(np.uint64) for name in ("partition", "row"))
    return partition << np.uint64(32) | row


def found_again(joint: Corpus, corpus: Corpus, chosen: Flags, names: tuple[Sequence[str], Sequence[str]]) -> Flags:
    """Mark the documents of a joint corpus that are the chosen ones of a part of it.

    Args:
        joint: n documents.
        corpus: the part, m documents.
        chosen: (m,)
        names: names of the partitions of both, in index order.
    """
    at = {name: number for number, name in enumerate(names[0])}
    partition, row = (corpus.column(name)[chosen].astype(np.int64) for name in ("partition", "row"))
    there = np.array([at[name] for name in names[1]], np.uint64)[partition] << np.uint64(32) | row.astype(np.uint64)
    return np.isin(where(joint), there)


def rows_read_from(corpus: Corpus, rows: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
    """File and record position that each document was read from."""
    table = corpus.take(rows, ["file", "position"])
    files: list[str] = table["file"].to_pylist()
    return files, table["position"].combine_chunks().cast(pa.int64()).to_numpy(zero_copy_only=False)


@dataclass(frozen=True)
class Ways:
    """Documents that may be added to the parent.

    Attributes:
        corpus: the candidates, m documents.
        best, random: (m,) what is chosen, and what a random choice takes.
        partitions: names of the partitions of the joint corpus, and of the candidates', in index order.
    """

    corpus: Corpus
    best: Flags
    random: Flags
    partitions: tuple[Sequence[str], Sequence[str]]


@dataclass(frozen=True)
class JoinedMixtures:
    """One corpus of parent and candidates, n documents.

    Attributes:
        corpus: what the parent trains on, and what some way on adds.
        mixtures: (n,) how often each document occurs in each mixture.
        remaining: (n,) how often it occurs in what of the parent was not read.
    """

    corpus: Corpus
    mixtures: dict[MixtureName, NDArray[np.int64]]
    remaining: NDArray[np.int64]


def join_corpora(whole: Corpus, top_up: TopUpJob, ways: Ways) -> JoinedMixtures:
    """Cut a corpus of parent and candidates to what is compared, and say what each mixture holds of it.

    Args:
        whole: every document of the parent's shards, and every candidate.
        top_up: says what the parent trains on, and what of it was consumed.
        ways: what may be added.
    """
    numbers = [whole.sources.index(name) for name in top_up.parent_sources]
    is_parent = np.isin(whole.source, numbers)
    is_parent[is_parent] = top_up.parent.is_trained_on(rows_read_from(whole, np.flatnonzero(is_parent))[0])
    is_best, is_random = (
        found_again(whole, ways.corpus, chosen, ways.partitions) for chosen in (ways.best, ways.random)
    )
    stays = is_parent | is_best | is_random
    joint = Corpus(without(whole.index, ~stays), whole.partitions, whole.sources, whole.kinds)
    is_parent, is_best, is_random = (flags[stays] for flags in (is_parent, is_best, is_random))
    is_read = np.zeros(len(joint), np.bool_)
    is_read[is_parent] = top_up.parent.is_consumed(*rows_read_from(joint, np.flatnonzero(is_parent)))
    flags: dict[MixtureName, Flags] = {
        "before": is_parent,
        "consumed": is_read,
        "after": is_parent | is_best,
        "random": is_parent | is_random,
    }
    mixtures = {name: chosen.astype(np.int64) for name, chosen in flags.items()}
    return JoinedMixtures(joint, mixtures, (is_parent & ~is_read).astype(np.int64))
