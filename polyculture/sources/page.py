"""HTML pages to text, with resiliparse."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from polyculture.sources.charset import Decoded, decode, meta_charset
from schemas.quarantined import QuarantineReason

# What resiliparse 2.0 takes time for that grows with the square of the number; each bound stands for about a second.
MAX_DEPTH = 4000  # nested elements; browsers cut at 512
MAX_OPTIONS = 10_000  # `option` elements of a page
MAX_ATTRIBUTES = 10_000  # of one element
MAX_ELEMENTS = 500_000  # linear, but seconds
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")
_ATTRIBUTE = re.compile(r"[^\s/]+")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# Elements without content, or whose end tag is commonly left out because the next one implies it.
_VOID = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
_IMPLIED = ("p", "li", "dt", "dd", "option", "tr", "td", "th", "thead", "tbody", "tfoot")
_FLAT = frozenset(_VOID + _IMPLIED)


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of a page: the main content if there is one, else all visible text."""

    text: str
    title: str | None


@dataclass(frozen=True, slots=True)
class PageFault:
    """The reason why a page gives no text."""

    reason: QuarantineReason
    detail: str


def decode_page(body: bytes, declared: Iterable[str | None], is_html: bool) -> Decoded | PageFault:
    """A page's bytes as a string: byte order mark, `declared`, its own meta element, UTF-8, detector."""
    labels = [*declared, meta_charset(body)] if is_html else list(declared)
    decoded = decode(body, labels)
    if decoded is None:
        said = ", ".join(label for label in labels if label) or "nothing declared"
        return PageFault(QuarantineReason.UNSUPPORTED_CHARSET, f"no charset fits ({said})")
    return decoded


def extract_page(html: str) -> PageText | PageFault:
    """Text of an HTML page, paragraphs and lists on lines of their own; scripts, styles and forms left out.

    Bevendorff et al. 2018, ChatNoir Resiliparse; rule-based main-content extraction.

    Args:
        html: the decoded page.

    Returns:
        Text and title, or why there is none: it is built so that parsing it would take very long. About 10 MB of HTML a
        second.
    """
    fault = _excess(html)
    if fault is not None:
        return fault
    try:
        tree = HTMLTree.parse(html)
        text = _extract(tree, main_content=True)
        if not text.strip():
            text = _extract(tree, main_content=False)
        return PageText(text, tree.title or None)
    except (ValueError, RuntimeError) as error:
        return PageFault(QuarantineReason.PARSER_CRASH, f"html: {error}")


def _extract(tree: HTMLTree, *, main_content: bool) -> str:
    return extract_plain_text(tree, preserve_formatting=True, main_content=main_content, alt_texts=False)


def _excess(html: str) -> PageFault | None:
    """Find a page that would take very long to parse; counts err high. O(len(html)), little for a usual page."""
    for part in html.split("<"):
        if len(part) > 2 * MAX_ATTRIBUTES:
            tag = _QUOTED.sub('""', part).partition(">")[0]
            if len(_ATTRIBUTE.findall(tag)) > MAX_ATTRIBUTES:
                return PageFault(QuarantineReason.TOO_MANY_KEYS, f"an element with over {MAX_ATTRIBUTES} attributes")
    if html.count("<") <= MAX_DEPTH:
        return None
    tags = [(slash, name.lower()) for slash, name in _TAG.findall(html)]
    if len(tags) > 2 * MAX_ELEMENTS:
        return PageFault(QuarantineReason.DOC_TOO_BIG, f"a page with over {MAX_ELEMENTS} elements")
    if tags.count(("", "option")) > MAX_OPTIONS:
        return PageFault(QuarantineReason.DOC_TOO_BIG, f"a page with over {MAX_OPTIONS} options")
    if _depth(tags) > MAX_DEPTH:
        return PageFault(QuarantineReason.TOO_DEEP, f"a page with over {MAX_DEPTH} nested elements")
    return None


def _depth(tags: Iterable[tuple[str, str]]) -> int:
    """The deepest nesting, end tags closing only what is open."""
    is_open: Counter[str] = Counter()
    depth = deepest = 0
    for slash, name in tags:
        if name in _FLAT:
            continue
        if not slash:
            is_open[name] += 1
            depth += 1
            deepest = max(deepest, depth)
        elif is_open[name]:
            is_open[name] -= 1
            depth -= 1
    return deepest
