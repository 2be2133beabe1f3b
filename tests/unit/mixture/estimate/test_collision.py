import numpy as np
import pytest

from polyculture.measure.probes.probe_matrix import ProbeMatrix, Weighting
from polyculture.mixture.estimate.collision import collision_matrix, containment_matrix
from polyculture.mixture.estimate.mixture import collapse, mixture_values
from tests.unit.measure.probes.matrices import GRAPH, species_matrix

TABLE = np.minimum(np.random.default_rng(3).zipf(1.8, (2_000, 3)), 80) * (
    np.random.default_rng(4).random((2_000, 3)) < np.array([0.7, 0.4, 0.3])
)
TRUTH = (TABLE / TABLE.sum(axis=0)).T @ (TABLE / TABLE.sum(axis=0))


def test_with_every_document_a_probe_the_collision_matrix_is_exact() -> None:
    assert collision_matrix(species_matrix(TABLE)) == pytest.approx(TRUTH, rel=1e-10)
    assert collision_matrix(species_matrix(TABLE, heavy=30)) == pytest.approx(TRUTH, rel=1e-10)


@pytest.mark.parametrize("heavy", [0, 40])
def test_the_collision_matrix_is_symmetric_semidefinite_and_unbiased(heavy: int) -> None:
    found = np.array([collision_matrix(species_matrix(TABLE, 150, seed, heavy)) for seed in range(300)])
    assert (found == found.transpose(0, 2, 1)).all()
    assert np.linalg.eigvalsh(found).min() > -1e-15
    error = (found.mean(axis=0) - TRUTH) / (found.std(axis=0) / np.sqrt(300))
    assert np.abs(error).max() < 4, error


def test_simpsons_index_of_whole_copies_is_the_quadratic_form() -> None:
    matrix, rates = species_matrix(TABLE), np.array([2.0, 1.0, 3.0])
    w = rates * matrix.documents / (rates @ matrix.documents)
    assert 1 / (w @ collision_matrix(matrix) @ w) == pytest.approx(mixture_values(collapse(matrix), rates[None]).hill_2)


def test_containment_has_directions() -> None:
    table = np.array([[3, 1], [0, 5], [2, 0]])
    found = containment_matrix(species_matrix(table))
    assert [[e.value for e in row if e] for row in found] == [[1.0, 3 / 5], [1 / 6, 1.0]]
    assert found[0][1] is not None
    assert found[0][1].low == found[0][1].high  # all documents were probed


def test_containment_in_an_empty_source_is_not_said() -> None:
    found = containment_matrix(species_matrix(np.array([[2, 0], [1, 0]])))
    assert found[0][0] is not None
    assert [found[0][1], *found[1]] == [None] * 3


def test_neighbourhoods_and_probes_by_tokens_have_no_collision_matrix() -> None:
    by_tokens = species_matrix(TABLE)
    by_tokens = ProbeMatrix(by_tokens.probes, by_tokens.documents, by_tokens.weight, Weighting.TOKENS, True)
    for matrix in (GRAPH, by_tokens):
        with pytest.raises(ValueError, match="partition lens, probed by documents"):
            collision_matrix(matrix)


def test_light_documents_without_probes_are_an_error() -> None:
    with pytest.raises(ValueError, match="no probe among them"):
        collision_matrix(species_matrix(TABLE, drawn=0))
