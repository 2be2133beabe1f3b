"""Panels: how results show themselves, as text of 80 columns and as HTML in notebooks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from polyculture.storage.messages import safe_detail

WIDTH = 80  # columns of the text
_NAME = 8  # characters that the first column has at least in the text; HTML shows all
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
    """Plain text of 80 columns: names and sentences are cut to fit, and the cut is marked by an ellipsis.

    Numbers are never cut; a table of many large ones is wider.
    """
    cells = [[safe_detail(cell) for cell in row] for row in panel.rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    widths[0] = min(widths[0], max(_NAME, WIDTH - sum(widths[1:]) - 2 * len(widths[1:])))
    table = []
    for name, *numbers in cells:
        aligned = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
        table.append("  ".join([_cut(name, widths[0]).ljust(widths[0]), *aligned]))
    title = f"{safe_detail(panel.title)}{': ' if panel.badge else ''}{safe_detail(panel.badge)}"
    return "\n".join([_cut(title, WIDTH), *table, *(_cut(safe_detail(note, 1000), WIDTH) for note in panel.notes)])


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
