"""Draw the house of docs/architecture.md: the rooms of the core on their floors, as the import contracts have them."""

import ast
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONTRACT = "The rooms of the core call downwards"
# The way of a document, as docs/architecture.md numbers it.
WAY = {
    "job": "1",
    "identity": "1",
    "sources": "2, 3",
    "corpus": "4, 5, 7",
    "filters": "5",
    "signals": "6",
    "deduplication": "7",
    "measure": "8",
    "mixture": "9",
    "shards": "10",
    "evidence": "10",
    "gate": "10",
}
WIDTH, HEIGHT, GAP, LEFT = 1120, 42, 10, 20
MOST_NARROW, OUTSIDE = 600, "#e8eef7"
PAGE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"
 aria-label="Rooms of the core on their floors">
<style>
text {{ font: 15px system-ui, sans-serif; fill: #222 }}
.hint {{ font-size: 13px; fill: #666 }}
.way {{ font-size: 12px; font-weight: 600; fill: #a33; text-anchor: end }}
</style>
<rect width="100%" height="100%" fill="#fff"/>
{body}
</svg>
"""
ABOVE = (("cli", "the command line"), ("flows", "what runs"), ("tasks", "steps as Prefect sees them"))


def floors() -> list[list[str]]:
    """Rooms of each floor, the highest first."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    [contract] = [found for found in tool["contracts"] if found["name"] == CONTRACT]
    return [[room.strip() for room in layer.split("|")] for layer in contract["layers"]]


def caption(room: str) -> str:
    """First sentence of what a room says of itself."""
    path = ROOT / "polyculture" / room
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    said = (ast.get_docstring(ast.parse(source.read_text("utf-8"))) or room).splitlines()[0]
    return said.rstrip(".").replace("`", "")


def _box(place: tuple[float, float, float], name: str, hint: str, fill: str = "#f6f1e3") -> str:
    """A room at (x, y, width), with what it says of itself where there is space, and its numbers on the way."""
    x, y, width = place
    texts = [f'<text x="{x + 10:.0f}" y="{y + 26:.0f}">{escape(name)}</text>']
    if width > MOST_NARROW:
        texts.append(f'<text x="{x + 150:.0f}" y="{y + 26:.0f}" class="hint">{escape(hint)}</text>')
    if name in WAY:
        texts.append(f'<text x="{x + width - 8:.0f}" y="{y + 16:.0f}" class="way">{escape(WAY[name])}</text>')
    shape = f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{HEIGHT}" rx="5" fill="{fill}"/>'
    return f"<g><title>{escape(hint)}</title>{shape}{''.join(texts)}</g>"


def draw() -> str:
    """The drawing, as SVG."""
    parts, y, whole = [], 20.0, WIDTH - 2 * LEFT
    for name, hint in ABOVE:
        parts.append(_box((LEFT, y, whole), name, hint, OUTSIDE))
        y += HEIGHT + GAP
    top = y
    y += GAP
    for rooms in floors():
        width = (WIDTH - 4 * LEFT - GAP * (len(rooms) - 1)) / len(rooms)
        for number, room in enumerate(rooms):
            parts.append(_box((2 * LEFT + number * (width + GAP), y, width), room, caption(room)))
        y += HEIGHT + GAP
    frame = f'x="{LEFT}" y="{top:.0f}" width="{whole}" height="{y - top:.0f}"'
    parts.insert(0, f'<rect {frame} rx="8" fill="none" stroke="#999"/>')
    y += GAP
    parts.append(_box((LEFT, y, whole), "schemas", "the contracts between steps", OUTSIDE))
    return PAGE.format(width=WIDTH, height=round(y + HEIGHT + 20), body="\n".join(parts))
