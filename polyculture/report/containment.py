"""The containment heatmap: which sources repeat which."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from polyculture.report.canvas import INK, SOFT, Drawing, draw, quiet_axes
from polyculture.report.words import fraction, interval, label, short
from schemas.config import Lens, Stage
from schemas.profile import Containment, Profile

MOST_NUMBERED = 14
NAMED_PAIRS = 4
# Lightness falls steadily, so that a grey print keeps the order.
COLOURS = LinearSegmentedColormap.from_list("containment", ["#f4f6f8", "#c3d7e6", "#6ea6cb", "#25689c", "#0b2f52"])


def containment_heatmap(profile: Profile, stage: Stage, sources: list[str]) -> Drawing | None:
    """Share of each row's documents that have a twin in each column's source, near lens.

    The diagonal is the source's own duplicate fraction. Numbers are in the cells of up to 14 sources.

    Returns:
        The figure, or None if fewer than two sources were measured at the stage.
    """
    pairs = _pairs(profile, stage)
    names = [name for name in sources if profile.scope(stage, Lens.NEAR, name)]
    if len(names) < 2:
        return None
    table = _table(profile, stage, names, pairs)
    is_numbered = len(names) <= MOST_NUMBERED
    cell = 44 if len(names) <= 8 else 36 if is_numbered else 16
    left, top, bottom = 150, 126, 14 if is_numbered else 52
    side = cell * len(names)
    width, height = max(left + side + 60, 420), top + side + bottom

    def paint(figure: Figure) -> None:
        axes = figure.add_axes((left / width, bottom / height, side / width, side / height))
        axes.pcolormesh(np.ma.masked_invalid(table), cmap=COLOURS, vmin=0, vmax=1, edgecolors="white", linewidth=1)
        axes.invert_yaxis()
        quiet_axes(axes)
        shown = [label(name, 20) for name in names]
        size = 11.5 if is_numbered else 10
        centres = np.arange(len(names)) + 0.5
        axes.set_yticks(centres, shown, fontsize=size, color=INK)
        axes.set_xticks(centres, shown, fontsize=size, color=INK, rotation=90 if not is_numbered else 50, ha="left" if is_numbered else "center", rotation_mode="anchor" if is_numbered else "default")
        axes.xaxis.tick_top()
        axes.tick_params(length=0, pad=3)
        for number in range(len(names)):
            axes.add_patch(Rectangle((number + 0.06, number + 0.06), 0.88, 0.88, fill=False, edgecolor=SOFT, linewidth=0.9))
        figure.text(8 / width, 1 - 16 / height, "share of the documents of", fontsize=11, color=SOFT)
        figure.text(8 / width, 1 - 31 / height, "each row with a twin in ...", fontsize=11, color=SOFT)
        if is_numbered:
            _numbers(axes, table)
        else:
            _colour_key(figure, left / width, 30 / height, 10 / height, width)

    return draw("containment", f"Containment of each source in each other at the stage {stage.value}", (width, height), paint)


def strongest_pairs(profile: Profile, stage: Stage) -> str:
    """One sentence that names the strongest pairs of different sources, with their intervals."""
    pairs = sorted(_pairs(profile, stage).values(), key=lambda c: (-c.containment.value, c.of, c.within))
    found = [pair for pair in pairs if pair.containment.value > 0]
    if not found:
        highest = max((pair.containment.high for pair in pairs), default=0.0)
        return f"No probed document has a twin in another source; every interval ends at or below {fraction(highest)}."
    parts = [
        f"{pair.of} in {pair.within} {fraction(pair.containment.value)} {_bracket(pair)}" for pair in found[:NAMED_PAIRS]
    ]
    rest = f"; {len(found) - NAMED_PAIRS} weaker pairs are not 0" if len(found) > NAMED_PAIRS else ""
    return f"Strongest: {'; '.join(parts)}{rest}."


def _bracket(pair: Containment) -> str:
    shown = interval(pair.containment)
    return shown if shown.startswith("[") else f"({shown})"


def _pairs(profile: Profile, stage: Stage) -> dict[tuple[str, str], Containment]:
    return {(c.of, c.within): c for c in profile.containments if c.stage is stage and c.lens is Lens.NEAR}


def _table(
    profile: Profile, stage: Stage, names: list[str], pairs: dict[tuple[str, str], Containment]
) -> NDArray[np.float64]:
    """(sources, sources) fractions; NaN, drawn as a blank cell, where a pair was not measured."""
    table = np.full((len(names), len(names)), np.nan)
    for row, of in enumerate(names):
        own = profile.scope(stage, Lens.NEAR, of)
        for column, within in enumerate(names):
            pair = pairs.get((of, within))
            if of == within and own:
                table[row, column] = own.duplicate_fraction.value
            elif pair:
                table[row, column] = pair.containment.value
    return table


def _numbers(axes: Axes, table: NDArray[np.float64]) -> None:
    for (row, column), value in np.ndenumerate(table):
        if np.isfinite(value):
            colour = "#ffffff" if value > 0.5 else INK if value > 0 else SOFT
            axes.text(column + 0.5, row + 0.52, short(float(value)), ha="center", va="center", fontsize=11, color=colour)


def _colour_key(figure: Figure, left: float, bottom: float, height: float, width: int) -> None:
    axes = figure.add_axes((left, bottom, 220 / width, height))
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), COLOURS), cax=axes, orientation="horizontal")
    bar.outline.set_visible(False)  # type: ignore[operator]  # matplotlib types `outline` as a number of things
    bar.set_ticks([0, 0.5, 1], labels=["0", ".5", "1"])
    axes.tick_params(length=0, labelsize=10)
