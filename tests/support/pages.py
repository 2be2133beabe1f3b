"""Pages of the documentation, as tests read them."""

import re

from tests.support.processes import ROOT


def page_of(name: str) -> str:
    """The text of a page under docs/."""
    return (ROOT / "docs" / name).read_text()


def section_of(page: str, heading: str) -> str:
    """The text below a heading of the second level, up to the next."""
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    assert found is not None, heading
    return found[1]


def python_examples(text: str) -> list[str]:
    """The Python examples of a page, or of a section."""
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)
