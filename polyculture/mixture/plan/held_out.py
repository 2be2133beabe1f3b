"""The validation split: which documents are held out of training, and which of the others are their twins."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled
from polyculture.corpus.corpus import Corpus
from polyculture.errors import ConfigError
from polyculture.measure.lenses.near_join import verified_similarity
from polyculture.storage.hashing import Stream, seeded_hash
from polyculture.text.shingles import ShingleSets
from schemas.config import CurationConfig
from schemas.manifest import HeldOutSource, ValidationAccount

TRAINING, HELD_OUT, TWIN = 0, 1, 2  # what becomes of a distinct document
MOST_FRACTION = 0.5  # of the distinct tokens; more is no validation split
_FILTER_BITS = 2**23
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(64 - 23)


@dataclass(frozen=True, slots=True)
class DistinctDocuments:
    """The distinct documents.

    Attributes:
        source, tokens: (n,) source number and tokens of each document.
        id_hash: (n,) hashes of the document_ids.
        group: (n,) group numbers of equal canonical texts.
    """

    source: NDArray[np.int64]
    tokens: NDArray[np.int64]
    id_hash: NDArray[np.uint64]
    group: NDArray[np.int64]


def hold_out_documents(
    corpus: Corpus,
    is_distinct: NDArray[np.bool_],
    groups: NDArray[np.int64],
    sets: ShingleSets,
    config: CurationConfig,
) -> tuple[NDArray[np.int8], ValidationAccount]:
    """Choose the validation split among the distinct documents, and leave out their twins.

    Args:
        corpus: n documents.
        is_distinct: (n,) whether each was kept by deduplication.
        groups: (n,) group of equal canonical texts of each, as `sets` numbers them.
        sets: shingle sets of the groups.
        config: has the budget of the split, the threshold of twins and the seed.

    Returns:
        (n,) TRAINING, HELD_OUT or TWIN, and the account.

    Raises:
        ConfigError: the split would take more than half of what there is.
        ValueError: the configuration asks for no split.
    """
    if config.validation is None:
        raise ValueError("the configuration asks for no validation split")
    rows, threshold = np.flatnonzero(is_distinct), config.dedupe.near.threshold
    documents = DistinctDocuments(corpus.source[rows], corpus.tokens[rows], corpus.id_hash[rows], groups[rows])
    held = choose_held_out(documents, corpus.sources, config.validation.tokens, config.seed)
    twins = find_twins(documents, held, sets, threshold)
    fate = np.zeros(len(corpus), np.int8)
    fate[rows[held]], fate[rows[twins]] = HELD_OUT, TWIN
    sources = account_held_out(documents, held, twins, corpus.sources)
    account = ValidationAccount(budget_tokens=config.validation.tokens, threshold=threshold, sources=sources)
    return fate, account


def choose_held_out(
    documents: DistinctDocuments, sources: Sequence[str], budget_tokens: int, seed: int
) -> NDArray[np.bool_]:
    """Hold out about `budget_tokens`, of each source in proportion to its tokens.

    A source gives the documents of smallest seeded hash, which is neither that of its probes nor that of its inclusion:
    as many as stay within its part, and one at least. A larger budget only adds documents.

    Args:
        documents: n distinct documents.
        sources: names.
        budget_tokens: token budget of the split.
        seed: seed of the run.

    Returns:
        (n,) whether a document is held out. O(n log n).

    Raises:
        ConfigError: the split would take more than half of what there is.
    """
    total = int(documents.tokens.sum())
    if budget_tokens > MOST_FRACTION * total:
        raise ConfigError(
            f"validation.tokens: {budget_tokens:,} is more than half of the {total:,} distinct tokens; ask for fewer"
        )
    drawn = seeded_hash(documents.id_hash, seed, Stream.HELD_OUT)
    held = np.zeros(len(documents.source), np.bool_)
    for number in range(len(sources)):
        mine = np.flatnonzero(documents.source == number)
        if len(mine) < 2:  # one document cannot be on both sides
            continue
        ranked = mine[np.lexsort((documents.id_hash[mine], drawn[mine]))]
        spent = np.cumsum(documents.tokens[ranked])
        if not spent[-1]:  # nothing to hold out, however many documents
            continue
        part = budget_tokens * int(spent[-1]) // total
        count = int(np.searchsorted(spent, part, side="right"))
        held[ranked[: min(max(count, 1), len(mine) - 1)]] = True
    return held


def find_twins(
    documents: DistinctDocuments, held: NDArray[np.bool_], sets: ShingleSets, threshold: float
) -> NDArray[np.bool_]:
    """Find the documents, not held out themselves, with an exact or near twin among those that are.

    Exact: no sampling and no signatures. Two sets of Jaccard similarity t or more share at least t of each, so, both in
    ascending order, one of the first |A| - ceil(t |A|) + 1 hashes of the one is among those of the other (prefix
    filtering; Chaudhuri, Ganti, Kaushik, ICDE 2006). Every pair that shares one is verified.

    Args:
        documents: n distinct documents.
        held: (n,) whether each document is held out.
        sets: shingle sets of the groups.
        threshold: least Jaccard similarity of near twins.

    Returns:
        (n,) the twins. Time in proportion to (1 - threshold) of all shingles, which are read once.
    """
    mine = np.unique(documents.group[held])
    fraction = Fraction(str(threshold))
    bounds = (fraction.numerator, fraction.denominator)
    prefixes, owners = _prefixes(sets, mine, bounds)
    is_twin = np.zeros(len(sets), np.bool_)
    is_twin[mine] = True  # of equal text
    if len(prefixes):
        _mark_twins((sets.hashes, sets.offsets), (prefixes, owners, _filter(prefixes)), bounds, is_twin)
    twins: NDArray[np.bool_] = is_twin[documents.group] & ~held
    return twins


def account_held_out(
    documents: DistinctDocuments, held: NDArray[np.bool_], twins: NDArray[np.bool_], sources: Sequence[str]
) -> list[HeldOutSource]:
    """Documents and tokens of each source that are held out, and that are left out for their sake."""

    def totals(chosen: NDArray[np.bool_]) -> tuple[list[int], list[int]]:
        source, count = documents.source[chosen], len(sources)
        tokens = np.bincount(source, documents.tokens[chosen], count).astype(np.int64)
        return np.bincount(source, minlength=count).tolist(), tokens.tolist()

    columns = zip(sources, *totals(held), *totals(twins), strict=True)
    return [
        HeldOutSource(name=name, documents=number, tokens=tokens, twins=others, twin_tokens=theirs)
        for name, number, tokens, others, theirs in columns
    ]


@compiled()
def _prefix_length(size: int, numerator: int, denominator: int) -> int:
    """|A| - ceil(t |A|) + 1, and 0 for an empty set."""
    return size - (size * numerator + denominator - 1) // denominator + 1 if size > 0 else 0


def _prefixes(
    sets: ShingleSets, groups: NDArray[np.int64], bounds: tuple[int, int]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Prefix hashes of the groups, ascending, and whose each is."""
    parts, owners = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for group in groups:
        first, last = sets.offsets[group : group + 2]
        length = _prefix_length(int(last - first), *bounds)
        parts.append(sets.hashes[first : first + length])
        owners.append(np.full(length, group, np.int64))
    prefixes, owner = np.concatenate(parts), np.concatenate(owners)
    order = np.argsort(prefixes, kind="stable")
    return prefixes[order], owner[order]


def _filter(hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """A table that says of most hashes that they are none of these: one place each, false positives possible."""
    table = np.zeros(_FILTER_BITS, np.bool_)
    with np.errstate(over="ignore"):
        table[(hashes * _GOLDEN >> _SHIFT).astype(np.int64)] = True
    return table


@compiled()
def _mark_twins(groups: Any, prefixes: Any, bounds: tuple[int, int], is_twin: Any) -> None:
    """Mark every group that is similar to an owner of one of the prefix hashes that it shares."""
    hashes, offsets = groups
    known, owners, table = prefixes
    numerator, denominator = bounds
    for group in range(len(offsets) - 1):
        if is_twin[group]:
            continue
        mine = hashes[offsets[group] : offsets[group + 1]]
        for i in range(_prefix_length(len(mine), numerator, denominator)):
            if not table[np.int64(mine[i] * _GOLDEN >> _SHIFT)]:
                continue
            at = np.searchsorted(known, mine[i])
            while at < len(known) and known[at] == mine[i] and not is_twin[group]:
                theirs = hashes[offsets[owners[at]] : offsets[owners[at] + 1]]
                is_twin[group] = verified_similarity(mine, theirs, numerator, denominator) >= 0
                at += 1
            if is_twin[group]:
                break
