"""The scale curve: what a trial of each size would have seen, against what the full corpus is."""

from itertools import count as numbers

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from polyculture.report.canvas import FAINT, GRID, INK, KIND_COLOURS, SOFT, Drawing, draw, spread
from polyculture.report.words import label, percent, short
from schemas.documents import Kind
from schemas.measures import Lens, Stage
from schemas.profile import Profile, ScopeProfile

MOST_LABELLED, HIGHLIGHTED = 8, 6
SIZE = (560, 372)
DASHES: tuple[str | tuple[int, tuple[float, ...]], ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (7, 2, 1.5, 2)))
NOTED_SURPRISE = 0.03  # smaller gaps are left without an arrow


def scale_curve(profile: Profile, stage: Stage, sources: list[str], name: str) -> Drawing | None:
    """Trial size (log) against distinct fraction, near lens: one line a source, the union in bold.

    Args:
        profile: the numbers.
        stage: stage of the documents.
        sources: their names; others in the profile are kinds.
        name: stem of the figure's file.

    Returns:
        The figure, or None if nothing was measured at the stage. With more than eight sources the six least distinct
        ones are highlighted and the others are grey.
    """
    measured = [found for found in (profile.scope(stage, Lens.NEAR, source) for source in sources) if found]
    if not measured:
        return None
    measured.sort(key=lambda scope: (scope.distinct_fraction.value, scope.scope))
    shown = measured if len(measured) <= MOST_LABELLED else measured[:HIGHLIGHTED]
    union = profile.scope(stage, Lens.NEAR, "all")

    def paint(figure: Figure) -> None:
        axes = figure.add_axes((0.075, 0.135, 0.595, 0.79))
        _frame(axes, min(trial.fraction for trial in measured[0].trials))
        for scope in measured[len(shown) :]:
            axes.plot(*_points(scope), color=FAINT, linewidth=0.8, zorder=1.5)
        _trial_line(axes, profile.trial_fraction)
        styles = _styles(shown)
        for scope in shown:
            _line(axes, scope, *styles[scope.scope])
        if union:
            axes.plot(*_points(union), color=INK, linewidth=2.8, zorder=4)
        _annotate(axes, shown[0], profile.trial_fraction, styles[shown[0].scope][0])
        _end_labels(axes, shown, union, styles)

    title = f"Distinct fraction against trial size at the stage {stage.value}, near lens, one line per source"
    return draw(name, title, SIZE, paint)


def _points(scope: ScopeProfile) -> tuple[list[float], list[float]]:
    return [t.fraction for t in scope.trials], [t.distinct_fraction.value for t in scope.trials]


def _styles(shown: list[ScopeProfile]) -> dict[str, tuple[str, str | tuple[int, tuple[float, ...]]]]:
    """Colour by kind; the sources of a kind differ by their dashes."""
    seen = {kind: numbers() for kind in Kind}
    return {
        scope.scope: (
            (KIND_COLOURS[scope.kind], DASHES[next(seen[scope.kind]) % len(DASHES)]) if scope.kind else (SOFT, "-")
        )
        for scope in shown
    }


def _frame(axes: Axes, smallest: float) -> None:
    axes.set_xscale("log")
    axes.set_xlim(smallest, 1)
    axes.set_ylim(0, 1.005)
    ticks = [tick for tick in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0) if tick >= smallest * 0.999]
    axes.set_xticks(ticks, [percent(tick) for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0], ["0", ".2", ".4", ".6", ".8", "1"])
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=11)
    axes.tick_params(axis="x", pad=8)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("trial size, share of the documents", fontsize=11, labelpad=3)
    axes.text(0, 1.03, "distinct fraction", transform=axes.transAxes, fontsize=11, color=SOFT, ha="left")


def _trial_line(axes: Axes, trial_fraction: float) -> None:
    axes.axvline(trial_fraction, color=SOFT, linewidth=0.9, zorder=2)
    axes.text(
        trial_fraction, 1.03, f"trial of {percent(trial_fraction)}", transform=axes.get_xaxis_transform(), fontsize=11,
        ha="center",
    )  # fmt: skip


def _line(axes: Axes, scope: ScopeProfile, colour: str, dashes: str | tuple[int, tuple[float, ...]]) -> None:
    low = [trial.distinct_fraction.low for trial in scope.trials]
    high = [trial.distinct_fraction.high for trial in scope.trials]
    fractions, values = _points(scope)
    if low != high:
        axes.fill_between(fractions, low, high, color=colour, alpha=0.16, linewidth=0, zorder=2.5)
    axes.plot(fractions, values, color=colour, linewidth=1.8, linestyle=dashes, zorder=3)


def _annotate(axes: Axes, worst: ScopeProfile, trial_fraction: float, colour: str) -> None:
    """The drop from what the trial sees to what the corpus is, on the trial's line; its left side is free of curves."""
    seen, full = worst.trial(trial_fraction).value, worst.distinct_fraction.value
    if seen - full < NOTED_SURPRISE:
        return
    arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=(trial_fraction, full), xytext=(trial_fraction, seen), arrowprops=arrow, zorder=5)
    axes.plot([trial_fraction, 1], [full, full], color=colour, linewidth=0.9, linestyle=(0, (1, 2)), zorder=2.2)
    axes.plot([trial_fraction, 1], [seen, full], "o", color=colour, markersize=5, clip_on=False, zorder=6)
    middle = min(max((seen + full) / 2, 0.16), 0.7)
    place = axes.transAxes.inverted().transform(axes.transData.transform((trial_fraction, middle)))
    is_left = place[0] > 0.42
    text = f"{percent(trial_fraction)} trial sees {short(seen)},\nfull corpus is {short(full)}"
    axes.text(
        place[0] - 0.025 if is_left else place[0] + 0.025, place[1], text, transform=axes.transAxes, fontsize=12,
        color=colour, ha="right" if is_left else "left", va="center", linespacing=1.35, zorder=7, fontweight="bold",
    )  # fmt: skip


def _end_labels(
    axes: Axes,
    shown: list[ScopeProfile],
    union: ScopeProfile | None,
    styles: dict[str, tuple[str, str | tuple[int, tuple[float, ...]]]],
) -> None:
    """Names and full-scale values at the right ends, moved apart, each joined to its line."""
    lines = [*shown, union] if union else list(shown)
    values = [scope.distinct_fraction.value for scope in lines]
    for scope, value, place in zip(lines, values, spread(values, 0.058, 0.02, 0.98), strict=True):
        colour = INK if scope is union else styles[scope.scope][0]
        text = f"{'union of all' if scope is union else label(scope.scope, 17)}  {short(value)}"
        axes.plot(
            [1.01, 1.045], [value, place], transform=axes.get_yaxis_transform(), color=colour, linewidth=0.8,
            clip_on=False,
        )  # fmt: skip
        axes.text(
            1.055, place, text, transform=axes.get_yaxis_transform(), color=colour, fontsize=11.5, va="center",
            fontweight="bold" if scope is union else "normal",
        )  # fmt: skip
