"""Output of `bench.coverage`: tables, a page and a plot."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt

from polyculture.measure.probes.probe_matrix import Weighting

Errors = dict[str, float]
Plain = dict[tuple[str, Weighting, int], dict[str, float]]
PAGE = Path(__file__).with_name("coverage.md")
RARE_MARK, COUNTED_MARK, MARKED_FROM = "r", "=", 0.01  # share of the repetitions


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
    def is_marked(self) -> bool:
        """True if it may cover more than 98 %."""
        return max(self.rare_share, self.counted_share) > MARKED_FROM

    @property
    def text(self) -> str:
        """Per cent, with its marks."""
        marks = (RARE_MARK if self.rare_share > MARKED_FROM else "") + (
            COUNTED_MARK if self.counted_share > MARKED_FROM else ""
        )
        return f"{100 * self.coverage:.1f}{marks}"


@dataclass(frozen=True)
class Results:
    """All that was measured.

    Attributes:
        cells: those that must meet the target.
        plain: coverage of plain intervals by population, weighting and probes.
        errors: root mean square of relative errors by population.
        decided: cells of the shares that close the gate.
        hidden: cells of populations whose large species probes seldom see.
        missed: cells that do not meet the target.
    """

    cells: list[Cell]
    plain: Plain
    errors: dict[str, Errors]
    decided: list[Cell]
    hidden: list[Cell]
    missed: list[Cell]


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _coverage_table(cells: list[Cell]) -> str:
    quantities = list(dict.fromkeys(cell.quantity for cell in cells))
    rows: dict[tuple[str, str, str, int], dict[str, str]] = {}
    for cell in cells:
        rows.setdefault((cell.population, cell.scope, cell.weighting.value, cell.probes), {})[cell.quantity] = cell.text
    body = [
        [f"{population}{'' if scope == 'all' else ', ' + scope}", by, f"{n:,}", *(row.get(q, "") for q in quantities)]
        for (population, scope, by, n), row in rows.items()
    ]
    return _markdown(["population", "by", "probes", *(name.replace("_", " ") for name in quantities)], body)


def _beside_plain(results: Results) -> str:
    ours = {(c.population, c.weighting, c.probes, c.quantity): c.text for c in results.cells if c.scope == "all"}
    names = list(next(iter(results.plain.values()), {}))
    body = [
        [key[0], key[1].value, f"{key[2]:,}", *(f"{100 * row[name]:.1f} / {ours[*key, name]}" for name in names)]
        for key, row in results.plain.items()
    ]
    return _markdown(["population", "by", "probes", *(name.replace("_", " ") for name in names)], body)


def _error_table(errors: dict[str, Errors], is_wanted: Callable[[str], bool]) -> str:
    columns = [column for column in next(iter(errors.values()), {}) if is_wanted(column)]
    body = [[name, *(f"{row[column]:.3f}" for column in columns)] for name, row in errors.items()]
    return _markdown(["population", *columns], body)


def tables(results: Results) -> str:
    """All tables, as Markdown."""
    missed = [
        f"- {c.population}, {c.scope}, by {c.weighting.value}, {c.probes:,} probes, {c.quantity}: {c.text}"
        for c in results.missed
    ]
    parts = {
        "Coverage, per cent": _coverage_table([c for c in results.cells if c.quantity != "containment"]),
        "Cells outside the target": "\n".join(missed) or "None.",
        "Containment between overlapping sources, per cent": _coverage_table(
            [c for c in results.cells if c.quantity == "containment"]
        ),
        "Shares that close the gate, per cent": _coverage_table(results.decided),
        "Plain intervals / ours, per cent": _beside_plain(results),
        "Distinct fraction: error of probes, and of a 1 % sample": _error_table(
            results.errors, lambda name: not name.startswith(("H1", "H2")) and not name.endswith(("H1", "H2"))
        ),
        "Hill numbers: error of probes, and of a 1 % sample": _error_table(
            results.errors, lambda name: name.startswith(("H1", "H2")) or name.endswith(("H1", "H2"))
        ),
        "What probes seldom see, per cent": _coverage_table(results.hidden),
    }
    return "\n".join(f"## {title}\n\n{body}\n" for title, body in parts.items())


def page(text: str, repetitions: int) -> str:
    """The page: what was done, and the tables."""
    return PAGE.read_text(encoding="utf-8").replace("REPETITIONS", f"{repetitions:,}") + "\n" + text


def plot(results: Results, path: Path) -> None:
    """Coverage of every cell beside that of plain intervals, by population."""
    names = list(dict.fromkeys(cell.population for cell in results.cells))
    figure, axes = plt.subplots(figsize=(9, 5.2), layout="constrained")
    axes.axvspan(93, 98, color="#dcebdc", label="target, 93 to 98 %")
    axes.axvline(95, color="#7f9f7f", linewidth=1)
    for is_marked, colour, label in ((False, "#1f4e79", "ours"), (True, "#8fb4d9", "ours, rare rule or counted whole")):
        chosen = [cell for cell in results.cells if cell.is_marked is is_marked]
        x, y = [100 * cell.coverage for cell in chosen], [names.index(cell.population) - 0.15 for cell in chosen]
        axes.scatter(x, y, s=14, color=colour, label=label, zorder=3)
    rough = [(100 * value, names.index(key[0]) + 0.2) for key, row in results.plain.items() for value in row.values()]
    x, y = [point[0] for point in rough], [point[1] for point in rough]
    axes.scatter(x, y, s=18, marker="x", color="#b5482a", label="mean ± 1.96 sd/√P", zorder=2)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 101)
    axes.set_xlabel("intervals that hold the truth, %")
    axes.legend(loc="lower left", fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)
