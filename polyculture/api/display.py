"""Panels: how results show themselves, as text of 80 columns and as HTML in notebooks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from polyculture.storage.messages import safe_detail

WIDTH = 80  # columns of the text
_CELL = 24  # characters of a cell in the text; HTML shows all
_COLOURS = {"GO": "#1a7f37", "NO-GO": "#cf222e", "UNKNOWN": "#9a6700"}
_PAGE = """<div class="polyculture"><p><strong>{{ panel.title }}</strong>
{%- if panel.badge %}
<span style="color:white;background:{{ colour }};padding:0 .5em">{{ panel.badge }}</span>
{%- endif %}</p>
<table>
<thead><tr>{% for cell in panel.rows[0] %}<th>{{ cell }}</th>{% endfor %}</tr></thead>
<tbody>
{%- for row in panel.rows[1:] %}
<tr>{% for cell in row %}<td style="text-align:{{ "left" if loop.first else "right" }}">{{ cell }}</td>{% endfor %}</tr>
{%- endfor %}
</tbody></table>
{%- for note in panel.notes %}
<p style="margin:0">{{ note }}</p>
{%- endfor %}</div>"""


@dataclass(frozen=True, slots=True)
class Panel:
    """A result as a person sees it. All of it may be text of others: it is escaped wherever it is shown.

    Attributes:
        title: one line.
        rows: a header and the rows of one table, all equally long.
        notes: sentences below it.
        badge: a verdict beside the title, or nothing.
    """

    title: str
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default_factory=tuple)
    badge: str = ""


def as_html(panel: Panel) -> str:
    """HTML without scripts; every value is escaped."""
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 -- only a notebook shows HTML

    page = Environment(autoescape=True, undefined=StrictUndefined).from_string(_PAGE)
    return page.render(panel=panel, colour=_COLOURS.get(panel.badge, "#57606a"))


def as_text(panel: Panel) -> str:
    """Plain text of at most 80 columns; what does not fit is cut, and the cut is marked by an ellipsis."""
    cells = [[_cut(safe_detail(cell), _CELL) for cell in row] for row in panel.rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [f"{safe_detail(panel.title)}{': ' if panel.badge else ''}{panel.badge}"]
    for row in cells:
        aligned = [c.rjust(w) if at else c.ljust(w) for at, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join(aligned).rstrip())
    return "\n".join(_cut(line, WIDTH) for line in [*lines, *(safe_detail(note, 1000) for note in panel.notes)])


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
