"""The containment heatmap: which sources repeat which."""

import itertools

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from polyculture.report.canvas import INK, SOFT, Drawing, draw, quiet_axes
from polyculture.report.words import fraction, interval, label, short
from schemas.measures import Lens, Stage, Weighting
from schemas.profile import Containment, Profile, ScopeProfile

MOST_NUMBERED, MOST_SMALL = 14, 34  # sources up to which cells hold numbers, large or small
MOST_DRAWN = 60  # sources that are drawn
NAMED_PAIRS, LISTED_PAIRS = 4, 25
# Lightness falls steadily, so that a grey print keeps the order.
COLOURS = LinearSegmentedColormap.from_list("containment", ["#f4f6f8", "#c3d7e6", "#6ea6cb", "#25689c", "#0b2f52"])


def containment_heatmap(profile: Profile, stage: Stage, sources: list[str]) -> Drawing | None:
    """Share of each row's documents that have a twin in each column's source, near lens.

    The diagonal is the source's own duplicate fraction. Numbers are in the cells of up to 34 sources; from 15 on those
    that are 0 are left blank. Of more than 60 sources those of the strongest pairs are drawn (`drawn_sources`).

    Returns:
        The figure, or None if fewer than two sources were measured at the stage.
    """
    names, _ = drawn_sources(profile, stage, sources)
    if len(names) < 2:
        return None
    table = _table(profile, stage, names, _pairs(profile, stage))
    is_numbered = len(names) <= MOST_NUMBERED
    is_small = not is_numbered and len(names) <= MOST_SMALL
    cell = 54 if len(names) <= 5 else 44 if len(names) <= 8 else 36 if is_numbered else 28 if is_small else 16
    left, top, bottom = 150, 126 if is_numbered else 150, 14 if is_numbered else 52
    side = cell * len(names)
    width, height = max(left + side + (150 if is_small else 60), 420), top + side + bottom

    def paint(figure: Figure) -> None:
        axes = figure.add_axes((left / width, bottom / height, side / width, side / height))
        _cells(axes, table)
        _names(axes, names, is_numbered=is_numbered)
        figure.text(8 / width, 1 - 16 / height, "share of the documents of", fontsize=11, color=SOFT)
        figure.text(8 / width, 1 - 31 / height, "each row (↓) with a twin", fontsize=11, color=SOFT)
        figure.text(8 / width, 1 - 46 / height, "in the column's source (→)", fontsize=11, color=SOFT)
        if is_numbered:
            _numbers(axes, table, 11)
        else:
            if is_small:
                _numbers(axes, np.where(table > 0, table, np.nan), 8.5)
                _names_again(axes, names)
            _colour_key(figure, left / width, 30 / height, 10 / height, width)

    title = f"Containment of each source in each other at the stage {stage.value}"
    return draw("containment", title, (width, height), paint)


def drawn_sources(profile: Profile, stage: Stage, sources: list[str]) -> tuple[list[str], int]:
    """The sources that the heatmap shows, in their order, and how many were measured at the stage.

    Of more than 60 those of the strongest pairs, then those that repeat themselves most.
    """
    own = {s.scope: s.duplicate_fraction.value for s in profile.scopes if _is_near(s, stage)}
    measured = [name for name in sources if name in own]
    pairs = sorted(_pairs(profile, stage).values(), key=lambda c: (-c.containment.value, c.of, c.within))
    strong = (name for pair in pairs if pair.containment.value > 0 for name in (pair.of, pair.within))
    by_rank = dict.fromkeys([*strong, *sorted(measured, key=lambda name: -own[name])])
    drawn = set(itertools.islice((name for name in by_rank if name in own), MOST_DRAWN))
    return [name for name in measured if name in drawn], len(measured)


def _is_near(scope: ScopeProfile, stage: Stage) -> bool:
    return (scope.stage, scope.lens, scope.weighting) == (stage, Lens.NEAR, Weighting.DOCUMENTS)


def strongest_pairs(profile: Profile, stage: Stage) -> str:
    """One sentence that names the strongest pairs of different sources, with their intervals."""
    pairs = sorted(_pairs(profile, stage).values(), key=lambda c: (-c.containment.value, c.of, c.within))
    found = [pair for pair in pairs if pair.containment.value > 0]
    if not found:
        highest = max((pair.containment.high for pair in pairs), default=0.0)
        return f"No probed document has a twin in another source; every interval ends at or below {fraction(highest)}."
    named = found[:NAMED_PAIRS]
    parts = [f"{pair.of} in {pair.within} {fraction(pair.containment.value)} {_bracket(pair)}" for pair in named]
    rest = f"; {len(found) - NAMED_PAIRS} weaker pairs are not 0" if len(found) > NAMED_PAIRS else ""
    return f"Strongest: {'; '.join(parts)}{rest}."


def listed_pairs(profile: Profile, stage: Stage) -> list[tuple[Containment, Containment | None]]:
    """The 25 strongest pairs of different sources, each with the same pair the other way round."""
    pairs = _pairs(profile, stage)
    found = sorted(pairs.values(), key=lambda c: (-c.containment.value, c.of, c.within))
    shown = [pair for pair in found if pair.containment.value > 0][:LISTED_PAIRS]
    return [(pair, pairs.get((pair.within, pair.of))) for pair in shown]


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


def _cells(axes: Axes, table: NDArray[np.float64]) -> None:
    """The coloured cells, the first row on top, the diagonal framed."""
    axes.pcolormesh(np.ma.masked_invalid(table), cmap=COLOURS, vmin=0, vmax=1, edgecolors="white", linewidth=1)
    axes.invert_yaxis()
    quiet_axes(axes)
    for number in range(len(table)):
        frame = Rectangle((number + 0.06, number + 0.06), 0.88, 0.88, fill=False, edgecolor=SOFT, linewidth=0.9)
        axes.add_patch(frame)


def _names(axes: Axes, names: list[str], *, is_numbered: bool) -> None:
    """Sources on the left and on top; slanted while there is room."""
    shown = [label(name, 20) for name in names]
    size, centres = 11.5 if is_numbered else 10, np.arange(len(names)) + 0.5
    axes.set_yticks(centres, shown, fontsize=size, color=INK)
    axes.set_xticks(centres, shown, fontsize=size, color=INK)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=3)
    for text in axes.get_xticklabels():
        if is_numbered:
            text.set(rotation=50, horizontalalignment="left", rotation_mode="anchor")
        else:
            text.set(rotation=90)


def _names_again(axes: Axes, names: list[str]) -> None:
    """The rows' names on the right too: a wide matrix is read from both sides."""
    right = axes.secondary_yaxis("right")
    right.set_yticks(np.arange(len(names)) + 0.5, [label(name, 20) for name in names], fontsize=10, color=INK)
    right.tick_params(length=0, pad=3)
    right.spines["right"].set_visible(False)


def _numbers(axes: Axes, table: NDArray[np.float64], size: float) -> None:
    for (row, column), value in np.ndenumerate(table):
        if np.isfinite(value):
            colour = "#ffffff" if value > 0.5 else INK if value > 0 else SOFT
            text = short(float(value))
            axes.text(column + 0.5, row + 0.52, text, ha="center", va="center", fontsize=size, color=colour)


def _colour_key(figure: Figure, left: float, bottom: float, height: float, width: int) -> None:
    axes = figure.add_axes((left, bottom, 220 / width, height))
    shades = np.linspace(0, 1, 23)[None, :]
    edges = np.linspace(0, 1, 24)
    axes.pcolormesh(edges, [0, 1], shades, cmap=COLOURS, vmin=0, vmax=1, edgecolors="face", linewidth=0.5)
    quiet_axes(axes)
    axes.set_yticks([])
    axes.set_xticks([0, 0.5, 1], ["0", ".5", "1"], fontsize=10)
