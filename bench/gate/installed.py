"""Text that a machine has anyway, or that unpacked packages hold: their documentation, manual pages, change logs."""

import ast
import gzip
import re
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions
from itertools import chain, islice
from pathlib import Path

from bench.gate.corpora import RealCorpus, Record, is_doubtful, made_corpus

MANUALS, DOCUMENTATION, INFO = Path("/usr/share/man"), Path("/usr/share/doc"), Path("/usr/share/info")
NODE_MODULES = (Path("/usr/lib/node_modules"), Path("/usr/share/nodejs"))
LEAST_DOCSTRING = 200  # characters
MOST_OF_PACKAGE = 5_000  # docstrings
MOST_ENTRIES = 40  # of one change log
MOST_BYTES_OF_FILE = 400_000
LARGE_PACKAGE = 400  # docstrings from which a package is a corpus of its own
# Packages whose text was looked at before the bounds were frozen, by the laws' tests and the demo: they score nothing.
SEEN = frozenset({"networkx", "numpy", "polars", "prefect", "pyarrow", "scipy", "sklearn", "sympy"})
_ROFF = re.compile(r"^[.'].*$", re.MULTILINE)
_KEPT_ROFF = re.compile(r"^\.(?:SH|SS|B|I|BR|IR|RB|RI|BI|IB|TP|IP|Nm|Fl|Ar|Op|Xr|Sh|Ss|Cm|Pa|Dq|It)\b *", re.MULTILINE)
_ESCAPES = re.compile(r"\\(?:f[A-Z]|f\[[^]]*\]|f\(..|[&/,]|s[-+]?\d|\*\[[^]]*\]|\*\(..)")
_TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]+>", re.DOTALL | re.IGNORECASE)
_RELEASE = re.compile(
    r"\n(?=[a-z0-9][a-z0-9+.-]+ \([^)]+\) |\d{4}-\d\d-\d\d  |[*#]* *(?:Version|Changes|v)?\s*\d+\.\d+\S* *)"
)


def installed_corpora() -> list[RealCorpus]:
    """Every corpus that this machine has enough text for, but for what was seen before the bounds were frozen."""
    found = chain(_docstring_corpora(), _manual_corpora(), _page_corpora())
    return [corpus for corpus in found if corpus is not None]


def unpacked_corpora(folder: Path) -> list[RealCorpus]:
    """Docstrings and pages of packages that were unpacked, each in a folder of its own; those with enough text.

    `pip download --no-deps NAME` and `unzip`, or `apt-get download NAME` and `dpkg-deb -x`, make such folders.
    """
    found = []
    for package in sorted(path for path in folder.iterdir() if path.is_dir() and path.name not in SEEN):
        pages = (path for path in sorted(package.rglob("*")) if path.name.endswith(_PAGE_ENDS) and _is_text(path))
        docstrings = list(islice(_docstrings(package), MOST_OF_PACKAGE))
        if len(docstrings) >= LARGE_PACKAGE:
            found.append(_corpus(f"docstrings_{package.name}", "expert", docstrings))
        found.append(_corpus(f"pages_{package.name}", "web", map(_page, pages)))
        found += [
            _corpus(f"entries_{path.name.removesuffix('.dict.dz')}", "expert", _dictionary(path))
            for path in sorted(package.rglob("*.dict.dz"))
        ]
    return [corpus for corpus in found if corpus is not None]


_PAGE_ENDS = (".html", ".htm", ".page", ".rst", ".md", ".html.gz", ".rst.gz")
_MARKED = frozenset({".html", ".htm", ".page"})
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"  # of numbers in an index


def _is_text(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and "licen" not in path.name.lower()


def _page(path: Path) -> str:
    text = _unpacked(path) if path.suffix == ".gz" else _read(path)
    return _TAGS.sub(" ", text) if not _MARKED.isdisjoint(path.suffixes) else text


def _dictionary(path: Path) -> Iterator[str]:
    """The entries of a dictionary for `dictd`: beside the text lies an index of words, offsets and lengths."""
    text = gzip.decompress(path.read_bytes())
    for line in _read(path.with_name(path.name.removesuffix(".dict.dz") + ".index")).splitlines():
        word, offset, length = line.split("\t")[:3]
        if not word.startswith("00-"):  # what the dictionary says of itself
            start = _number(offset)
            yield text[start : start + _number(length)].decode("utf-8", "replace").strip()


def _number(digits: str) -> int:
    """A number to the base of 64."""
    found = 0
    for digit in digits:
        found = 64 * found + _DIGITS.index(digit)
    return found


def _docstring_corpora() -> Iterator[RealCorpus | None]:
    """One for each large package, and one of all others; the standard library was seen."""
    packages = Path(sysconfig.get_path("purelib"))
    others: list[str] = []
    for package in sorted(path for path in packages.iterdir() if path.is_dir() and path.suffix != ".dist-info"):
        if is_doubtful(package.name) or package.name in SEEN:
            continue
        texts = list(islice(_docstrings(package), MOST_OF_PACKAGE))
        if len(texts) < LARGE_PACKAGE:
            others += texts[: LARGE_PACKAGE // 2]
        else:
            yield _corpus(f"docstrings_{package.name}", "expert", texts)
    yield _corpus("docstrings_of_small_packages", "expert", others)


def package_corpora(names: Iterable[str]) -> list[RealCorpus]:
    """The docstrings of some packages, and of the standard library: a corpus each, where there are enough."""
    packages = Path(sysconfig.get_path("purelib"))
    found = [_corpus(name, "web", _docstrings(packages / name)) for name in names]
    return [corpus for corpus in [*found, _standard_library()] if corpus is not None]


def _standard_library() -> RealCorpus | None:
    standard = Path(sysconfig.get_path("stdlib"))
    own = chain.from_iterable(_docstrings(path) for path in sorted(standard.iterdir()) if path.name != "site-packages")
    return _corpus("docstrings_standard_library", "expert", own)


def _docstrings(path: Path) -> Iterator[str]:
    for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
        if file.suffix != ".py":
            continue
        if file.stat().st_size > MOST_BYTES_OF_FILE:
            continue  # tables, written by a program
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node) or ""
                if len(text) >= LEAST_DOCSTRING:
                    yield text


def _manual_corpora() -> Iterator[RealCorpus | None]:
    """Manual pages by section; those of one large tool that a program wrote, and translations, apart."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for path in sorted(MANUALS.rglob("*.gz")):
        folder = path.relative_to(MANUALS).parts
        name = f"man_{folder[0].removeprefix('man')}" if len(folder) == 2 else "man_languages"
        name = "man_gcloud" if path.name.startswith("gcloud") else name
        if len(by_name[name]) < MOST_OF_PACKAGE:
            by_name[name].append(_without_roff(_unpacked(path)))
    for name, texts in sorted(by_name.items()):
        yield _corpus(name, "web", texts)


def _without_roff(text: str) -> str:
    """The words of a manual page, roughly."""
    plain = _ROFF.sub("", _KEPT_ROFF.sub("", text))
    plain = _ESCAPES.sub("", plain).replace(r"\-", "-").replace("\\e", "\\")
    return re.sub(r"\n{3,}", "\n\n", plain).strip()


def _page_corpora() -> Iterator[RealCorpus | None]:
    """Long descriptions and pages of packages, books of the info reader, change logs, news, pages in HTML."""
    described = [str(found.metadata.get_payload()) for found in distributions()]  # type: ignore[attr-defined]
    yield _corpus("package_descriptions", "web", described)
    roots = (Path(sysconfig.get_path("purelib")), *NODE_MODULES)
    pages = (
        path
        for root in roots
        for end in ("md", "rst")
        for path in sorted(root.rglob(f"*.{end}"))
        if path.relative_to(root).parts[0] not in SEEN
    )
    yield _corpus("package_pages", "web", (_read(path) for path in pages if "licen" not in path.name.lower()))
    nodes = (node for path in sorted(INFO.glob("*.gz")) for node in _unpacked(path).split("\x1f")[1:])
    yield _corpus("info_books", "expert", nodes)
    logs = sorted(DOCUMENTATION.rglob("changelog*.gz"))
    yield _corpus("changelogs_of_distribution", "web", _entries(p for p in logs if "Debian" in p.name))
    yield _corpus("changelogs_of_authors", "web", _entries(p for p in logs if "Debian" not in p.name))
    yield _corpus("news_of_packages", "web", _entries(sorted(DOCUMENTATION.rglob("NEWS*.gz"))))
    marked = sorted(DOCUMENTATION.rglob("*.html"))
    yield _corpus("documentation_html", "web", (_TAGS.sub(" ", _read(path)) for path in marked))
    yield _corpus("copyright_files", "web", map(_read, sorted(DOCUMENTATION.rglob("copyright"))))


def _entries(paths: Iterable[Path]) -> Iterator[str]:
    """The releases that change logs tell of, the latest ones of each."""
    for path in paths:
        yield from (entry.strip() for entry in _RELEASE.split("\n" + _unpacked(path))[:MOST_ENTRIES])


def _corpus(name: str, kind: str, texts: Iterable[str]) -> RealCorpus | None:
    found = made_corpus(re.sub(r"\W+", "_", name), kind, (Record(text) for text in texts))
    if found is not None:
        print(f"{found.name}: {len(found.records):,} texts", file=sys.stderr)
    return found


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _unpacked(path: Path) -> str:
    try:
        return gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
    except OSError:
        return ""
