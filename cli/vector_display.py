"""Terminal output of what embeddings show."""

from cli.terminal import Grid, Terminal
from schemas.measures import Stage
from schemas.numbers import Estimate
from schemas.profile import Profile
from schemas.vectors import VectorProfile

NAMES = (
    "scope", "measured", "not", "trial rke", "rke", "rke_of_probes", "vendi_score", "twins at .9", "coverage / ceiling",
    "rare_cell_recall / ceiling",
)  # fmt: skip


def show_vectors(terminal: Terminal, found: Profile, stage: Stage) -> None:
    """The table of every scope at a stage, and the encoder; nothing if embeddings were not measured."""
    vectors = [vector for vector in found.vectors if vector.stage is stage]
    if not vectors or found.encoder is None:
        return
    terminal.line()
    terminal.line(("semantic", "bold"), f", stage {stage.value}, by documents")
    grid = Grid(*NAMES)
    for vector in vectors:
        grid.row(*_cells(vector))
    grid.show()
    used = found.encoder
    terminal.line(
        f"  encoder {used.name} {used.revision[:8]}, background {used.background[:8] or 'none'}, "
        f"{used.dimensions} dimensions",
        style="dim",
    )


def _cells(vector: VectorProfile) -> list[str]:
    head = [vector.scope, f"{vector.documents:,}", f"{vector.unmeasured:,}"]
    scores, coverage = vector.scores, vector.coverage
    if scores is None:
        return [*head, *["unmeasured"] * 2, *["-"] * 5]
    probed = _shown(scores.rke_of_probes, ".1f") if scores.is_known_by_probes else "unknown"
    return [
        *head,
        f"{scores.rke_of_trial:.1f}",
        f"{scores.rke.value:.1f}",
        probed,
        f"{scores.vendi_score.value:.1f}",
        _shown(vector.curve[-1].observed if vector.curve else None, ".3f"),
        _shown(coverage.coverage.relative if coverage else None, ".3f"),
        _shown(coverage.rare_cell_recall.relative if coverage else None, ".3f"),
    ]


def _shown(estimate: Estimate | None, form: str) -> str:
    if estimate is None:
        return "-"
    return f"{estimate.value:{form}} [{estimate.low:{form}}, {estimate.high:{form}}]"
