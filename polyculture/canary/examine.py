"""Examine the canary's part of a ledger: its numbers, and those of its counts that are not as planted."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.canary.layout import HEAVY_ABOVE, NAME, PROBES
from polyculture.canary.texts import document_key
from polyculture.canary.truth import LENSES, METRICS, Truth, truths
from polyculture.measure.ledger.ledger import HEADER_FILE, HEAVY_FILE, PROBES_FILE, Ledger, read_ledger
from polyculture.measure.probes.estimators import scope_of
from polyculture.measure.probes.metrics import METRICS as ESTIMATORS
from polyculture.measure.probes.probes import StageCopies, choose_probes, choose_weighted_probes
from polyculture.storage.hashing import id_hash
from schemas.canary import CanaryHeader
from schemas.ledger import Crowded, Weighting
from schemas.measures import Lens, Stage
from schemas.profile import CanaryNumber, CanaryNumbers

PREFIX = "canary_"
FILES = tuple(f"{PREFIX}{name}" for name in (PROBES_FILE, HEAVY_FILE, HEADER_FILE))
CONFIDENCE = 0.9999
HEAVY = "heavy"
Counted = Counter[tuple[str, str, int]]  # (weighting, document, multiplicity), or (HEAVY, "", size of a species)


def read_canary(folder: Path) -> CanaryNumbers | None:
    """The numbers of the canary of a finished run, None if there is none that can be read: the gate closes on that."""
    try:
        return examine(read_ledger(folder, PREFIX, CanaryHeader))
    except (OSError, ValueError, LookupError, ArithmeticError, TypeError):
        return None


def examine(ledger: Ledger) -> CanaryNumbers:
    """Estimate the canary's numbers as any source's are, and compare its counts with its layout.

    Args:
        ledger: the ledger of the canary alone, with a CanaryHeader.

    Raises:
        ValueError, LookupError, TypeError: it is no such ledger.
    """
    header = ledger.header
    if not isinstance(header, CanaryHeader):
        raise TypeError("the header of a canary says which run it is of")
    known = truths(header.threshold)
    choice = header.seed if header.drawn_by is None else header.drawn_by
    checked = [_compare(ledger, lens, known[lens], (header.seed, choice)) for lens in LENSES]
    return CanaryNumbers(
        identity_sha256=header.identity_sha256,
        seed=header.seed,
        threshold=header.threshold,
        recipe=header.recipe,
        numbers=estimates(ledger),
        counts=sum(counts for counts, _ in checked),
        wrong=sum(wrong for _, wrong in checked),
    )


def estimates(ledger: Ledger) -> list[CanaryNumber]:
    """Every known number in every lens, by documents and by tokens, as far as it was measured."""
    found = []
    for lens in LENSES:
        for weighting in Weighting:
            matrix = ledger.matrix(Stage.INPUT, lens, weighting)
            if matrix is None:
                continue
            scope = replace(scope_of(matrix, [0]), confidence=CONFIDENCE)
            for metric in METRICS:
                try:
                    estimate = ESTIMATORS[metric](scope, 0.01)
                except ValueError:  # no probes: nothing is estimated, and the gate misses it
                    continue
                found.append(CanaryNumber(lens=lens, weighting=weighting, metric=metric, estimate=estimate))
    return found


def _compare(ledger: Ledger, lens: Lens, truth: Truth, seeds: tuple[int, int]) -> tuple[int, int]:
    """Counts of one lens that were looked at, and how many of them are wrong; seeds as in `probes_of`."""
    population = ledger.population(Stage.INPUT, lens)
    stated = (population.documents, population.tokens) if population is not None else None
    is_wrong = stated != ([truth.documents], [truth.total_tokens])
    if lens is Lens.NEAR:
        counts, wrong = _compare_strata(ledger, truth, seeds[0], population.crowded if population is not None else None)
        return counts + 1, wrong + is_wrong
    light, heavy = _expected(truth, *seeds)
    found = _found(ledger, lens)
    missing = ((light + heavy) - found).total()
    wrong = max(missing, (found - (light + heavy)).total()) + is_wrong  # a wrong count is one missing and one too many
    return light.total() + heavy.total() + 1, wrong


def _compare_strata(ledger: Ledger, truth: Truth, seed: int, crowded: Crowded | None) -> tuple[int, int]:
    """The same of the near lens, which cuts the canary in two by chance as well: crowded documents, and the others.

    Whatever the cut, each row must hold its document's count, and both strata as many rows as are due to them.
    """
    if crowded is None:
        return 0, 1
    rows = _rows(ledger.rows, Lens.NEAR)
    number = {f"{NAME}:{document_key(seed, i)}": i for i in range(len(truth.tokens))}
    at = np.array([number.get(name, -1) for name in rows["document_id"].to_pylist()], np.int64)
    expected = np.where(at >= 0, truth.multiplicity[at], -1)
    is_crowded = rows["is_crowded"].to_numpy()
    wrong = int((_totals(rows["multiplicity"]) != expected).sum())
    many = crowded.documents[0]
    for weighting in Weighting:
        mine = np.array([value == weighting.value for value in rows["weighting"].to_pylist()], np.bool_)
        by_tokens = weighting is Weighting.TOKENS
        for part, documents in ((False, truth.documents - many), (True, many)):
            is_whole = part and crowded.is_whole[0]
            due = documents if is_whole else PROBES if by_tokens and documents else min(PROBES, documents)
            wrong += abs(int((mine & (is_crowded == part)).sum()) - due)
    return rows.num_rows, wrong


def _rows(table: pa.Table, lens: Lens) -> pa.Table:
    """The rows of one lens."""
    return table.filter(pa.array([value == lens.value for value in table["lens"].to_pylist()], pa.bool_()))


def _totals(lists: pa.ChunkedArray) -> NDArray[np.int64]:
    """(rows,) sums over the sources, of which the canary's ledger has one."""
    return np.array([sum(counts) for counts in lists.to_pylist()], np.int64)


def _expected(truth: Truth, seed: int, choice: int) -> tuple[Counted, Counted]:
    """Expected counts: the multiplicity of each light probe, and each heavy species."""
    is_light = truth.multiplicity <= HEAVY_ABOVE
    light: Counted = Counter()
    heavy: Counted = Counter()
    for weighting, chosen in probes_of(truth, seed, choice).items():
        for number in chosen.tolist():
            name, m = f"{NAME}:{document_key(seed, number)}", int(truth.multiplicity[number])
            if is_light[number]:
                light[weighting.value, name, m] += 1
    sizes, documents = np.unique(truth.multiplicity[~is_light], return_counts=True)
    heavy.update({(HEAVY, "", int(size)): int(count // size) for size, count in zip(sizes, documents, strict=True)})
    return light, heavy


def probes_of(truth: Truth, seed: int, choice: int) -> dict[Weighting, NDArray[np.int64]]:
    """Numbers of the documents that are probes, by the seed of the documents and that of the choice."""
    hashes = _id_hashes(len(truth.tokens), seed)
    source = np.zeros(len(hashes), np.int64)
    there = (truth.multiplicity > 0).astype(np.int64)
    return {
        Weighting.DOCUMENTS: choose_probes(StageCopies(Stage.INPUT.value, there), source, hashes, PROBES, choice),
        Weighting.TOKENS: choose_weighted_probes(there * truth.tokens, source, hashes, PROBES, choice),
    }


def _id_hashes(documents: int, seed: int) -> NDArray[np.uint64]:
    return np.array([id_hash(f"{NAME}:{document_key(seed, number)}") for number in range(documents)], np.uint64)


def _found(ledger: Ledger, lens: Lens) -> Counted:
    """Observed counts, in the same form."""
    rows = _rows(ledger.rows, lens)
    counts = _totals(rows["multiplicity"]).tolist()
    found: Counted = Counter(zip(rows["weighting"].to_pylist(), rows["document_id"].to_pylist(), counts, strict=True))
    heavy = _rows(ledger.heavy, lens)
    found.update((HEAVY, "", size) for size in _totals(heavy["documents"]).tolist())
    return found
