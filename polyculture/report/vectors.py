"""The report's section on embeddings: rows, sentences and two figures."""

from dataclasses import dataclass
from itertools import count as numbers

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from polyculture.report.canvas import FAINT, GRID, INK, KIND_COLOURS, SOFT, Drawing, draw, quiet_axes, spread
from polyculture.report.words import count, label, listing, percent, short
from schemas.documents import Kind
from schemas.measures import Stage
from schemas.profile import Profile
from schemas.vectors import VectorProfile

MOST_LABELLED, HIGHLIGHTED, MOST_BARS = 8, 6, 16
DASHES: tuple[str | tuple[int, tuple[float, ...]], ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (7, 2, 1.5, 2)))
NARROW, TWINS = 0.8, 0.2  # of the reference's RKE; a share of documents with a twin that is worth a sentence


@dataclass(frozen=True, slots=True)
class VectorRow:
    """One scope of the table, and what a hundredth of it shows of its twins."""

    name: str
    kind: Kind | None
    group: str
    vector: VectorProfile
    foretold: float | None


@dataclass(frozen=True, slots=True)
class VectorSection:
    """Everything that the template prints.

    Attributes:
        sentences: meaning of the numbers, worst first.
        reference: the pooled reference; None without one.
        figures: figures with their captions.
    """

    rows: list[VectorRow]
    sentences: list[str]
    reference: VectorProfile | None
    figures: list[tuple[str, Drawing]]


def vector_section(profile: Profile, stage: Stage, sources: dict[str, Kind]) -> VectorSection | None:
    """The section at a stage; None if embeddings were not measured there."""
    found = {vector.scope: vector for vector in profile.vectors if vector.stage is stage}
    if not found or profile.encoder is None:
        return None
    reference = profile.vector_reference(stage) or profile.vector_reference(Stage.DISTINCT)
    kinds = [(kind.value, kind) for kind in Kind if kind.value in found]
    rows = [_row(found["all"], "union of all", None, "union")] if "all" in found else []
    rows += [_row(found[name], name, kind, "kind") for name, kind in kinds]
    mine = [_row(found[name], name, kind, "source") for name, kind in sources.items() if name in found]
    mine.sort(key=lambda row: (row.vector.scores is None, _rke(row.vector), row.name))
    measured = [row for row in mine if row.vector.scores is not None]
    figures = []
    if measured:
        union = found.get("all")
        bars = rke_figure(measured, reference, f"rke_{stage.value}")
        figures = [("How many equally different documents each source amounts to", bars)]
        curve = neighbour_figure(measured, union, f"nearest_neighbours_{stage.value}")
        figures += [("Documents with a twin by meaning, as the corpus grows", curve)] if curve else []
    return VectorSection([*rows, *mine], _sentences(found.get("all"), mine, reference), reference, figures)


def _row(vector: VectorProfile, name: str, kind: Kind | None, group: str) -> VectorRow:
    return VectorRow(name, kind, group, vector, _share_of_hundredth(vector))


def _share_of_hundredth(vector: VectorProfile) -> float | None:
    """Share with a neighbour in a sample of about a hundredth."""
    if not vector.curve:
        return None
    whole = vector.curve[-1].documents
    nearest = min(vector.curve, key=lambda point: abs(point.documents / whole - 0.01))
    return nearest.observed.value if nearest.documents < whole else None


def _rke(vector: VectorProfile) -> float:
    return vector.scores.rke.value if vector.scores else 0.0


def _sentences(union: VectorProfile | None, rows: list[VectorRow], reference: VectorProfile | None) -> list[str]:
    found = []
    base = reference.scores if reference else None
    narrow = []
    for row in rows:
        if base is None or reference is None or row.vector.scores is None:
            continue
        size = min(row.vector.documents, reference.documents)
        mine, theirs = row.vector.rke_at(size), reference.rke_at(size)
        if mine is not None and theirs is not None and mine < NARROW * theirs:
            narrow.append(f"{row.name} ({mine / theirs:.2f})")
    if narrow:
        found.append(f"Narrower than {NARROW:g} of the reference's RKE at equal size: {listing(narrow, 6)}.")
    for row in sorted(rows, key=_twins, reverse=True)[:3]:
        if _twins(row) >= TWINS and row.foretold is not None:
            found.append(
                f"{percent(_twins(row))} of the documents of {row.name} have a twin by meaning in it; a sample of a "
                f"hundredth shows {percent(row.foretold)}."
            )
    alarms = [row.name for row in rows if any(point.alarm for point in row.vector.curve)]
    if alarms:
        found.append(f"Alarm: {listing(alarms, 6)} hold more than twice the twins that a small sample foretold.")
    for row in rows:
        if row.vector.scores is None:
            found.append(f"{row.name} is unmeasured, which is not varied: {row.vector.why_unmeasured}.")
    if union is not None and union.empty_cells:
        found.append(f"{count(union.empty_cells)} cells of the reference hold no document of any source.")
    return found or ["No source stands out: none repeats itself by meaning, or is narrower than the reference."]


def _twins(row: VectorRow) -> float:
    return row.vector.curve[-1].observed.value if row.vector.curve else 0.0


def rke_figure(rows: list[VectorRow], reference: VectorProfile | None, name: str) -> Drawing:
    """RKE of each source: an open dot for what the trial shows, a filled one for the whole source.

    Args:
        rows: measured sources, narrowest first; at most the first sixteen are drawn.
        reference: whose RKE is a line; None without one.
        name: stem of the figure's file.
    """
    shown = rows[:MOST_BARS]
    height = 64 + 25 * len(shown)

    def paint(figure: Figure) -> None:
        axes = figure.add_axes((0.27, 46 / height, 0.63, 1 - 74 / height))
        values = [_rke(row.vector) for row in shown]
        most = 1.08 * max([*values, reference.scores.rke.value if reference and reference.scores else 0.0])
        for place, row in enumerate(shown):
            _bar(axes, place, row)
        axes.set_xlim(0, most)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_yticks(range(len(shown)), [label(row.name, 20) for row in shown], fontsize=11, color=INK)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        quiet_axes(axes)
        axes.set_xlabel("RKE, effective documents of order 2: open dot the trial, filled all", fontsize=10.5)
        if reference is not None and reference.scores is not None:
            value = reference.scores.rke.value
            axes.axvline(value, color=INK, linewidth=1.1, linestyle=(0, (4, 2)), zorder=1.8)
            axes.text(
                value, 1 + 6 / height, f"reference {value:.3g}", transform=axes.get_xaxis_transform(), fontsize=10.5,
                ha="right" if value > 0.7 * most else "center",
            )  # fmt: skip

    return draw(name, "Effective number of documents of each source by their embeddings", (560, height), paint)


def _bar(axes: Axes, place: int, row: VectorRow) -> None:
    scores = row.vector.scores
    if scores is None:
        return
    colour = KIND_COLOURS[row.kind] if row.kind else SOFT
    axes.plot([0, scores.rke.value], [place, place], color=colour, linewidth=3.2, alpha=0.28, zorder=2)
    axes.plot([scores.rke_of_trial], [place], "o", color=colour, markerfacecolor="white", markersize=7, zorder=3)
    axes.plot([scores.rke.value], [place], "o", color=colour, markersize=7.5, zorder=4, clip_on=False)
    axes.annotate(
        f"{scores.rke.value:.3g}", (scores.rke.value, place), xytext=(8, 0), textcoords="offset points", va="center",
        fontsize=10.5, color=colour, fontweight="bold",
    )  # fmt: skip


def neighbour_figure(rows: list[VectorRow], union: VectorProfile | None, name: str) -> Drawing | None:
    """Sample size (log) against the share of documents with a neighbour at the cosine that gates, one line a source.

    Args:
        rows: measured sources.
        union: all of them; its isotropic extrapolation is dotted.
        name: stem of the figure's file.

    Returns:
        The figure, or None if no source was probed.
    """
    lines = sorted((row for row in rows if len(row.vector.curve) > 1), key=lambda row: (-_twins(row), row.name))
    if not lines:
        return None
    shown = lines if len(lines) <= MOST_LABELLED else lines[:HIGHLIGHTED]
    whole = union if union is not None and len(union.curve) > 1 and len(lines) > 1 else None

    def paint(figure: Figure) -> None:
        axes = figure.add_axes((0.075, 0.135, 0.595, 0.79))
        for row in lines[len(shown) :]:
            axes.plot(*_points(row.vector), color=FAINT, linewidth=0.8, zorder=1.5)
        seen = {kind: numbers() for kind in Kind}
        ends: list[tuple[str, float, str, bool]] = []
        for row in shown:
            colour = KIND_COLOURS[row.kind] if row.kind else SOFT
            dashes = DASHES[next(seen[row.kind]) % len(DASHES)] if row.kind else "-"
            _line(axes, row.vector, colour, dashes)
            ends.append((label(row.name, 17), _twins(row), colour, False))
        if whole is not None:
            axes.plot(*_points(whole), color=INK, linewidth=2.8, zorder=4)
            ends.append(("union of all", whole.curve[-1].observed.value, INK, True))
        _frame(axes)
        _end_labels(axes, ends)

    title = "Share of documents with a neighbour at cosine .9 against sample size, one line per source"
    return draw(name, title, (560, 372), paint)


def _points(vector: VectorProfile) -> tuple[list[float], list[float]]:
    """Samples as shares of the scope, so that sources of all sizes end at the right."""
    whole = vector.curve[-1].documents
    return [point.documents / whole for point in vector.curve], [point.observed.value for point in vector.curve]


def _line(axes: Axes, vector: VectorProfile, colour: str, dashes: str | tuple[int, tuple[float, ...]]) -> None:
    places, values = _points(vector)
    low, high = ([getattr(point.observed, end) for point in vector.curve] for end in ("low", "high"))
    axes.fill_between(places, low, high, color=colour, alpha=0.14, linewidth=0, zorder=2.5)
    axes.plot(places, values, color=colour, linewidth=1.8, linestyle=dashes, zorder=3)


def _frame(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_xlim(1e-3, 1)
    axes.set_ylim(0, 1.005)
    ticks = [1e-3, 1e-2, 1e-1, 1.0]
    axes.set_xticks(ticks, [percent(tick) for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0], ["0", ".2", ".4", ".6", ".8", "1"])
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=11)
    axes.tick_params(axis="x", pad=8)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("sample size, share of the documents", fontsize=11, labelpad=3)
    axes.text(0, 1.03, "with a twin at cosine .9", transform=axes.transAxes, fontsize=11, color=SOFT, ha="left")


def _end_labels(axes: Axes, ends: list[tuple[str, float, str, bool]]) -> None:
    places = spread([value for _, value, _, _ in ends], 0.058, 0.02, 0.98)
    for (name, value, colour, is_bold), place in zip(ends, places, strict=True):
        axes.plot(
            [1.01, 1.045], [value, place], transform=axes.get_yaxis_transform(), color=colour, linewidth=0.8,
            clip_on=False,
        )  # fmt: skip
        axes.text(
            1.055, place, f"{name}  {short(value)}", transform=axes.get_yaxis_transform(), color=colour, fontsize=11.5,
            va="center", fontweight="bold" if is_bold else "normal",
        )  # fmt: skip
