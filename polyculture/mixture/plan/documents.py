"""The mixture of a corpus: how often each document is in it, and in which order the shards hold them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus
from polyculture.measure.ledger.ledger import Ledger
from polyculture.mixture.plan.order import mixture_order
from polyculture.mixture.plan.phases import Distinct, plan_phases
from polyculture.mixture.plan.selection import Streams, copies_of, rank_documents
from polyculture.mixture.plan.weights import Weights, ask_known
from polyculture.storage.hashing import inclusion_hash, unit_interval
from schemas.config import CurationConfig
from schemas.plan import MixturePlan, PhasePlan

Integers = NDArray[np.int64]


def rank_corpus(corpus: Corpus, is_member: NDArray[np.bool_], seed: int) -> Streams:
    """Some documents of a corpus, ranked source by source.

    Args:
        corpus: n documents.
        is_member: (n,) which of them.
        seed: of the run.
    """
    hashes = inclusion_hash(corpus.id_hash, seed)
    return rank_documents(corpus.source, hashes, np.flatnonzero(is_member), len(corpus.sources))


@dataclass(frozen=True)
class PlanInputs:
    """Inputs of a plan beside the documents and the configuration.

    Attributes:
        data_sha256: digest of the data, which the plan names.
        weights: what the files of rates say that the configuration names.
        ledger: with its stage `distinct` measured, rates may be `auto`, and phases are foreseen; None if it is not.
    """

    data_sha256: str
    weights: Mapping[str, Weights]
    ledger: Ledger | None = None


def plan_documents(
    corpus: Corpus, is_distinct: NDArray[np.bool_], config: CurationConfig, inputs: PlanInputs
) -> tuple[MixturePlan, Integers]:
    """Decide how often each distinct document is written, and say what the budget needs and lacks.

    Args:
        corpus: n documents.
        is_distinct: (n,) which of them mixtures are made from.
        config: the mixture, and the seed.
        inputs: what else it depends on.

    Returns:
        The plan, and (n,) copies of each document.

    Raises:
        ConfigError: limits contradict each other, or the mixture would be empty.
    """
    ledger = inputs.ledger
    streams = rank_corpus(corpus, is_distinct, config.seed)
    position = unit_interval(inclusion_hash(corpus.id_hash, config.seed))
    distinct = Distinct(corpus.sources, corpus.kinds, streams, corpus.tokens, position)
    if ledger is not None:
        from polyculture.mixture.plan.auto import ask_best, foresee  # noqa: PLC0415 -- solvers, which few runs need
    asks = (
        lambda terms, supplies: ask_known(terms, supplies, inputs.weights),
        lambda terms, supplies: ask_best(terms, supplies, ledger, config.seed % 2**32) if ledger else None,
    )
    plan = plan_phases(distinct, config.mixture, asks, inputs.data_sha256)
    plan = foresee(plan, ledger) if ledger is not None else plan
    copies = np.zeros(len(corpus), np.int64)
    for phase in plan.phases:
        copies += copies_of(streams, *_stretch(phase), len(corpus))
    return plan, copies


def phase_order(streams: Streams, phase: PhasePlan) -> Integers:
    """Document numbers in the order in which the shards of a phase hold them."""
    return mixture_order(streams, *_stretch(phase))


def even_order(streams: Streams) -> Integers:
    """Document numbers, each once, the sources spread evenly."""
    return mixture_order(streams, np.zeros(len(streams.documents), np.int64), streams.documents)


def _stretch(phase: PhasePlan) -> tuple[Integers, Integers]:
    """First row and rows of each source's stream in a phase."""
    return (
        np.array([source.first_row for source in phase.sources], np.int64),
        np.array([source.rows for source in phase.sources], np.int64),
    )
