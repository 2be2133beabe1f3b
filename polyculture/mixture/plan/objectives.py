"""Objectives of a mixture: functions of its document shares, with gradients; concave where they are."""

from collections.abc import Sequence

import numpy as np

from polyculture.measure.probes.probe_matrix import ProbeMatrix
from polyculture.mixture.estimate.collision import collision_matrix, species_sample
from polyculture.mixture.estimate.mixture import marginal_values
from polyculture.mixture.estimate.mixture_rows import collapse
from polyculture.mixture.plan.constraints import MixtureProblem
from polyculture.mixture.plan.disjoint import DisjointDistinct, DisjointEntropy
from polyculture.mixture.plan.objective import Concave, Floats, Objective, Valued

_NEVER = 1e-9  # of a typical species: keeps ln p finite where a source is left out


class SpeciesEntropy(Concave):
    """Shannon's entropy of the species of a partition lens, in nats: ln H1 in the lambda form.

    -sum p ln p with p = sum_i w_i m_i / N_i: of expected copies, so at fractional rates a little above the exact
    ln H1 (up to 6 % of H1 at rates of 1.2 to 1.5). Each species is weighted by how it was found, so that the estimate
    is a sum of concave functions: concave for any probes.

    Args:
        matrix: matrix of a partition lens, probed by documents.
        lens: its name.

    Raises:
        ValueError: see `species_sample`.
    """

    def __init__(self, matrix: ProbeMatrix, lens: str) -> None:
        self.name = f"entropy of {lens} species, lambda form"
        self._exact = CopyObjective(matrix, lens, "hill_1")
        sample = species_sample(matrix)
        self._fraction, self._weight = sample.fraction, sample.weight
        even = self._fraction @ (matrix.documents / matrix.documents.sum())
        # sum p = 1 is known, so what the sample has too much or too little of it is taken out at a typical species
        self._typical = float(np.exp((self._weight * even) @ np.log(even) / (self._weight @ even)))

    def evaluate(self, shares: Floats, problem: MixtureProblem) -> Valued:
        """Nats. O(different rows x sources)."""
        del problem
        p = self._fraction @ shares
        shifted = p + _NEVER * self._typical
        surprise = np.log(shifted / self._typical)
        value = -float((self._weight * p) @ surprise) - float(np.log(self._typical))
        return value, -((self._weight * (surprise + p / shifted)) @ self._fraction)

    def exact(self, shares: Floats, problem: MixtureProblem) -> float:
        """Ln H1 by the exact law of copies, which the lambda form overstates at fractional rates."""
        return self._exact.evaluate(shares, problem)[0]


class SimpsonGain(Concave):
    """Fall of 1/H2 of a partition lens below that of all documents: 1 - w' C w / (v' C v).

    C is the collision matrix and v the documents' own shares. 1 - 1/H2 itself would lie within 1e-6 of 1 at full scale.

    Args:
        matrix: matrix of a partition lens, probed by documents.
        lens: its name.

    Raises:
        ValueError: see `collision_matrix`.
    """

    def __init__(self, matrix: ProbeMatrix, lens: str) -> None:
        self.name = f"fall of 1/H2 of {lens} species"
        even = matrix.documents / matrix.documents.sum()
        collisions = collision_matrix(matrix)
        self._relative = collisions / float(even @ collisions @ even)

    def evaluate(self, shares: Floats, problem: MixtureProblem) -> Valued:
        """0 at the documents' own shares, at most 1."""
        del problem
        row = self._relative @ shares
        return 1.0 - float(shares @ row), -2.0 * row


class SpectralEntropy(Concave):
    """Von Neumann entropy of the mixture's second moment sum_i w_i M_i, in nats: ln of the order-1 Vendi score.

    Args:
        moments: (sources, d, d) mean of x x' over the documents of each source, x of unit length.
        name: name of the encoder or kernel.

    Raises:
        ValueError: the moments are not symmetric matrices of trace 1.
    """

    def __init__(self, moments: Floats, name: str) -> None:
        self.name = f"entropy of {name}"
        self._moments = np.asarray(moments, np.float64)
        shape = self._moments.shape
        is_square = len(shape) == 3 and shape[1] == shape[2] and np.isfinite(self._moments).all()
        if not is_square or not np.allclose(self._moments, self._moments.transpose(0, 2, 1), atol=1e-6):
            raise ValueError(f"second moments are finite symmetric matrices, one per source, got shape {shape}")
        if not np.allclose(np.trace(self._moments, axis1=1, axis2=2), 1.0, atol=1e-3):
            raise ValueError("second moments need a trace of 1: of embeddings of unit length, divided by their number")

    def evaluate(self, shares: Floats, problem: MixtureProblem) -> Valued:
        """Nats, in [0, ln d]. O(d^3 + sources x d^2)."""
        del problem
        values, vectors = np.linalg.eigh(np.tensordot(shares, self._moments, 1))
        logarithm = np.log(np.maximum(values, 1e-15))
        kept = np.maximum(values, 0.0)
        by_matrix = (vectors * (logarithm + 1.0)) @ vectors.T
        return -float(kept @ logarithm), -np.tensordot(self._moments, by_matrix, 2)


class CopyObjective:
    """An objective by the exact law of copies: ln H1, or the distinct fraction, of any lens. Not concave.

    Args:
        matrix: matrix of any lens.
        lens: its name.
        metric: `hill_1`, taken in nats (its logarithm), or `distinct_fraction`.

    Raises:
        ValueError: another metric.
    """

    is_concave = False

    def __init__(self, matrix: ProbeMatrix, lens: str, metric: str) -> None:
        if metric not in ("hill_1", "distinct_fraction"):
            raise ValueError(f"unknown metric {metric!r}; known: distinct_fraction, hill_1")
        self.name = f"{'ln ' if metric == 'hill_1' else ''}{metric} of {lens} species"
        self.most = np.inf if metric == "hill_1" else 1.0
        self._rows, self._metric = collapse(matrix), metric

    def evaluate(self, shares: Floats, problem: MixtureProblem) -> Valued:
        """Nats, or a fraction; at whole rates the gradient is that from the right."""
        rates = problem.rates(shares)
        found = marginal_values(self._rows, rates)
        if self._metric == "hill_1":
            value = float(np.log(found.values.hill_1[0]))
            by_rate = found.hill_1 / found.values.hill_1[0]
        else:
            value, by_rate = float(found.values.distinct_fraction[0]), found.distinct_fraction
        # r_i = w_i B / (N_i sum_k w_k t_k), t tokens per document
        per_document = problem.tokens / problem.documents
        mean = float(shares @ per_document)
        by_share = by_rate * problem.budget_tokens / (mean * problem.documents)
        return value, by_share - per_document / mean * float(by_rate @ rates)

    def relaxed(self, problem: MixtureProblem) -> Objective:
        """The concave objective for documents without twins in other sources."""
        return _DISJOINT[self._metric](self._rows, problem)


_DISJOINT: dict[str, type[DisjointDistinct] | type[DisjointEntropy]] = {
    "distinct_fraction": DisjointDistinct,
    "hill_1": DisjointEntropy,
}


class WeightedSum:
    """A sum of objectives, each times a weight of 0 or more; concave if all are.

    Raises:
        ValueError: there is none, or a weight is negative.
    """

    def __init__(self, terms: Sequence[tuple[float, Objective]]) -> None:
        if not terms or any(not weight >= 0 for weight, _ in terms):
            raise ValueError("a weighted sum needs terms, and weights of 0 or more")
        self.terms = tuple(terms)
        self.name = " + ".join(f"{weight:g} x {term.name}" for weight, term in terms)
        self.is_concave = all(term.is_concave for _, term in terms)
        self.most = sum(weight * term.most for weight, term in terms if weight > 0)

    def evaluate(self, shares: Floats, problem: MixtureProblem) -> Valued:
        """The sums."""
        found = [(weight, term.evaluate(shares, problem)) for weight, term in self.terms]
        gradient: Floats = np.sum([weight * gradient for weight, (_, gradient) in found], axis=0)
        return sum(weight * value for weight, (value, _) in found), gradient

    def relaxed(self, problem: MixtureProblem) -> Objective:
        """The sum of the relaxed terms."""
        return WeightedSum([(weight, term.relaxed(problem)) for weight, term in self.terms])
