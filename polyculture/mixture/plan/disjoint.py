"""Concave functions above objectives that are not: what a mixture would have if sources shared nothing."""

import numpy as np

from polyculture.mixture.estimate.mixture_rows import MixtureRows
from polyculture.mixture.plan.constraints import MixtureProblem
from polyculture.mixture.plan.objective import Concave, Floats, Valued


class DisjointDistinct(Concave):
    """The distinct fraction as if sources shared nothing: never below the true one, and concave.

    sum_i N_i D_i(r_i) / N_mix with D_i(r) = mean (1 - (1 - min(r, 1))**m_ii) / m_ii, m_ii the documents of the source's
    own. It holds for neighbourhoods too: within one source all copies are exchangeable. N_i D_i(w_i S / N_i) / S is
    concave in (w, 1/S) as a perspective, and 1/S is linear in w.
    """

    def __init__(self, rows: MixtureRows, problem: MixtureProblem) -> None:
        del problem
        self.name = "distinct fraction without overlap"
        self._rows = rows

    def evaluate(self, shares: Floats, problem: MixtureProblem) -> Valued:
        """Evaluate the objective, in (0, 1]."""
        rates = problem.rates(shares)
        per_document = problem.tokens / problem.documents
        inverse_size = float(shares @ per_document) / problem.budget_tokens
        m = self._rows.others + 1.0
        missed = 1.0 - np.minimum(rates, 1.0)
        seen = (self._rows.share * (1.0 - missed**m) / m).sum(axis=0)
        slope = np.where(rates < 1.0, (self._rows.share * missed ** (m - 1.0)).sum(axis=0), 0.0)
        size_term = problem.documents * (seen - rates * slope)  # derivative by 1/S
        value = float(problem.documents @ seen) * inverse_size
        return value, slope + float(size_term.sum()) * per_document / problem.budget_tokens


class DisjointEntropy(Concave):
    """Ln H1 as if sources shared nothing: H(w) + sum_i w_i b_i, never below the true one, and concave.

    b_i = mean ln(N_i D(r_max; m_ii)) is the source's own, at the largest rate that it can have.
    """

    def __init__(self, rows: MixtureRows, problem: MixtureProblem) -> None:
        self.name = "ln hill_1 without overlap"
        m = rows.others + 1.0
        most = np.array([min(s.max_epochs, problem.budget_tokens / s.tokens, 1.0) for s in problem.sources])
        seen = (1.0 - (1.0 - most) ** m) / m
        self._own = (rows.share * np.log(problem.documents * seen)).sum(axis=0)

    def evaluate(self, shares: Floats, problem: MixtureProblem) -> Valued:
        """Nats."""
        del problem
        shifted = shares + 1e-12
        surprise = np.log(shifted)
        return float(shares @ (self._own - surprise)), self._own - surprise - shares / shifted
