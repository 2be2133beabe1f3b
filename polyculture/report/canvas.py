"""One way to draw: matplotlib without its global state, out comes small, inert and deterministic SVG."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from schemas.documents import Kind

# Okabe & Ito (2008), told apart by colour-blind readers; one colour a kind, in every figure and table.
KIND_COLOURS = {Kind.WEB: "#0072b2", Kind.EXPERT: "#00795a", Kind.SYNTHETIC: "#c44e00"}
INK, SOFT, FAINT, GRID = "#1c2430", "#5b6673", "#b8c0ca", "#e6e9ed"
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],  # comes with matplotlib; the page substitutes the reader's own sans-serif
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": SOFT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A finished figure: its file's stem, its size in pixels, and an `<svg>` element that is also a whole file."""

    name: str
    width: int
    height: int
    svg: str


def draw(name: str, title: str, size: tuple[int, int], paint: Callable[[Figure], None]) -> Drawing:
    """Run `paint` on an empty figure and return it as SVG.

    Args:
        name: stem of the file; also seeds the ids inside, so that several figures fit in one page.
        title: read aloud by screen readers.
        size: width and height in pixels; one pixel is one unit of fonts and lines.
        paint: draws; must depend on its data alone.
    """
    with style.context(["default", STYLE | {"svg.hashsalt": name}]):
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), dpi=72)
        paint(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return Drawing(name, size[0], size[1], clean_svg(buffer.getvalue(), name, title))


def clean_svg(text: str, name: str, title: str) -> str:
    """The `<svg>` element alone: no prolog, metadata, style sheet, comment, foreign name space or unused id."""
    text = text[text.index("<svg") :]
    for unwanted in (r"<metadata>.*?</metadata>", r"<!--.*?-->", r"<style[^>]*>.*?</style>"):
        text = re.sub(unwanted, "", text, flags=re.DOTALL)
    head = re.match(r'<svg [^>]*viewBox="([0-9. -]+)"[^>]*>', text)
    if head is None:
        raise ValueError("matplotlib's SVG has no viewBox; check its version against constraints.txt")
    text = text[head.end() :].replace("xlink:href", "href").replace("'DejaVu Sans'", FONTS)
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)[)"]', text))
    text = re.sub(r' id="([^"]*)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", text)
    text = re.sub(r'(url\(|href=")#', rf"\1#{name}-", text)
    text = re.sub(r"\n\s*", "\n", re.sub(r"<defs>\s*</defs>", "", text))
    width, height = head[1].split()[2:]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{head[1]}" width="{width}" height="{height}" role="img"'
        f' style="stroke-linejoin:round;stroke-linecap:butt"><title>{escape(title)}</title>{text.strip()}\n'
    )


def quiet_axes(axes: Axes) -> None:
    """No tick marks and no frame: the bars or cells carry the figure."""
    axes.tick_params(length=0)
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(False)


def spread(wanted: list[float], gap: float, low: float, high: float) -> list[float]:
    """Positions near the wanted ones, in their order, at least `gap` apart and inside [low, high] while there is room.

    Least total movement: neighbours that collide are pooled around their common mean (pool adjacent violators).
    """
    order = sorted(range(len(wanted)), key=lambda number: (wanted[number], number))
    pools: list[tuple[float, int]] = []  # mean of (wanted - rank * gap), members
    for rank, number in enumerate(order):
        pools.append((wanted[number] - rank * gap, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (upper, more), (lower, fewer) = pools.pop(), pools.pop()
            pools.append(((upper * more + lower * fewer) / (more + fewer), more + fewer))
    offsets = [mean for mean, members in pools for _ in range(members)]
    ceiling = max(low, high - (len(wanted) - 1) * gap)
    placed = [0.0] * len(wanted)
    for rank, number in enumerate(order):
        placed[number] = min(max(offsets[rank], low), ceiling) + rank * gap
    return placed
