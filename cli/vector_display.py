"""Terminal output of what embeddings show."""

from rich.console import Console
from rich.table import Table

from cli.tables import print_whole
from polyculture.storage.messages import safe_detail
from schemas.measures import Stage
from schemas.numbers import Estimate
from schemas.profile import Profile
from schemas.vectors import VectorProfile

NAMES = (
    "scope", "measured", "not", "trial rke", "rke", "rke_of_probes", "vendi_score", "twins at .9", "coverage / ceiling",
    "rare_cell_recall / ceiling",
)  # fmt: skip


def show_vectors(console: Console, found: Profile, stage: Stage) -> None:
    """The table of every scope at a stage, and the encoder; nothing if embeddings were not measured."""
    vectors = [vector for vector in found.vectors if vector.stage is stage]
    if not vectors or found.encoder is None:
        return
    console.print(f"\n[bold]semantic[/bold], stage {stage.value}, by documents")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(NAMES):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for vector in vectors:
        table.add_row(*_cells(vector))
    print_whole(table)
    used = found.encoder
    console.print(
        f"  encoder {used.name} {used.revision[:8]}, background {used.background[:8] or 'none'}, "
        f"{used.dimensions} dimensions",
        style="dim",
        markup=False,
    )


def _cells(vector: VectorProfile) -> list[str]:
    head = [safe_detail(vector.scope), f"{vector.documents:,}", f"{vector.unmeasured:,}"]
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
