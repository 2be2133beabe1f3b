"""What `bench.coverage` prints: tables, a page and a plot."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt

from polyculture.diversity.probe_matrix import Weighting

Errors = dict[str, float]
Plain = dict[tuple[str, Weighting, int], dict[str, float]]
PAGE = Path(__file__).with_name("coverage.md")
RARE_MARK, COUNTED_MARK = "r", "="


@dataclass(frozen=True)
class Cell:
    """Coverage of one quantity.

    Attributes:
        coverage: share of the repetitions whose interval holds the truth.
        rare_share: share in which the rare rule, or Clopper-Pearson's interval, is at work.
        counted_share: share whose interval has no width: everything was counted, and nothing estimated.
        relative_error: root mean square of estimate / truth - 1.
    """

    population: str
    scope: str
    weighting: Weighting
    probes: int
    quantity: str
    coverage: float
    rare_share: float
    counted_share: float
    relative_error: float

    @property
    def text(self) -> str:
        """Per cent, with its marks."""
        marks = (RARE_MARK if self.rare_share > 0.01 else "") + (COUNTED_MARK if self.counted_share > 0.01 else "")
        return f"{100 * self.coverage:.1f}{marks}"


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _coverage_table(cells: list[Cell]) -> str:
    quantities = list(dict.fromkeys(cell.quantity for cell in cells))
    rows: dict[tuple[str, str, str, int], dict[str, str]] = {}
    for cell in cells:
        rows.setdefault((cell.population, cell.scope, cell.weighting.value, cell.probes), {})[cell.quantity] = cell.text
    body = [
        [
            f"{population}{'' if scope == 'all' else ', ' + scope}",
            by,
            str(probes),
            *(row.get(q, "") for q in quantities),
        ]
        for (population, scope, by, probes), row in rows.items()
    ]
    return _markdown(["population", "by", "probes", *quantities], body)


def tables(cells: list[Cell], plain: Plain, errors: dict[str, Errors], missed: list[Cell]) -> str:
    """All tables, as Markdown."""
    whole = [cell for cell in cells if cell.quantity != "containment"]
    contained = [cell for cell in cells if cell.quantity == "containment"]
    found = {(c.population, c.weighting, c.probes, c.quantity): c for c in whole if c.scope == "all"}
    names = list(next(iter(plain.values())))
    beside = [
        [
            population,
            by.value,
            str(probes),
            *(f"{100 * row[n]:.1f} / {found[population, by, probes, n].text}" for n in names),
        ]
        for (population, by, probes), row in plain.items()
    ]
    columns = list(next(iter(errors.values())))
    wrong = [[name, *(f"{row[column]:.3f}" for column in columns)] for name, row in errors.items()]
    parts = [
        "## Coverage, per cent\n",
        _coverage_table(whole),
        "\n## Containment between overlapping sources, per cent\n",
        _coverage_table(contained),
        "\n## Plain intervals / ours, per cent\n",
        _markdown(["population", "by", "probes", *names], beside),
        "\n## Root mean square of the relative error, by documents\n",
        _markdown(["population", *columns], wrong),
        "\n## Cells outside the target\n",
        "\n".join(
            f"- {c.population}, {c.scope}, by {c.weighting.value}, {c.probes} probes, {c.quantity}: {c.text}"
            for c in missed
        )
        or "None.",
        "",
    ]
    return "\n".join(parts)


def page(text: str, repetitions: int) -> str:
    """The page: what was done, and the tables."""
    return PAGE.read_text(encoding="utf-8").replace("REPETITIONS", f"{repetitions:,}") + "\n" + text


def plot(cells: list[Cell], plain: Plain, path: Path) -> None:
    """Coverage of every cell beside that of plain intervals, by population."""
    names = list(dict.fromkeys(cell.population for cell in cells))
    figure, axes = plt.subplots(figsize=(9, 5.2), layout="constrained")
    axes.axvspan(93, 98, color="#dcebdc", label="target, 93 to 98 %")
    axes.axvline(95, color="#7f9f7f", linewidth=1)
    ours = [
        (100 * c.coverage, names.index(c.population) - 0.15, c.rare_share > 0.01 or c.counted_share > 0.01)
        for c in cells
    ]
    for is_rare, colour, label in ((False, "#1f4e79", "ours"), (True, "#8fb4d9", "ours, rare rule or counted whole")):
        chosen = [(x, y) for x, y, rare in ours if rare is is_rare]
        axes.scatter(*zip(*chosen, strict=True), s=14, color=colour, label=label, zorder=3)
    rough = [(100 * x, names.index(key[0]) + 0.2) for key, row in plain.items() for x in row.values()]
    axes.scatter(*zip(*rough, strict=True), s=18, marker="x", color="#b5482a", label="mean ± 1.96 sd/√P", zorder=2)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 101)
    axes.set_xlabel("intervals that hold the truth, % (one mark a quantity, weighting and number of probes)")
    axes.legend(loc="lower left", fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)
