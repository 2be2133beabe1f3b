"""The expert corpus: documented functions of numpy, scipy, scikit-learn, sympy and networkx, as JSON Lines.

A document is the source text of one function or method, docstring included. Its `rationale`, the explanation that a
person wrote for other people, is the docstring. Sources are parsed, never imported. Left out: tests, folders of code
that the packages took from elsewhere, every file that names another licence than the packages' own, functions of more
than `MAX_CHARACTERS`, and docstrings of fewer than `MIN_WORDS`. Text that a package writes many times over stands here
few times: of functions that share a name the first `MOST_NAMED` of each package are taken, of those of a module whose
names begin with one word, such as `roots_jacobi` and `roots_legendre`, the first `MOST_AKIN`, and of numpy's six kinds
of polynomial one. Equal package versions give equal bytes.
"""

import ast
import inspect
import textwrap
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import orjson
import zstandard

from demo.corpus import Corpus, package_folder, package_versions
from schemas.documents import Kind

# Package folder -> distribution. All five are BSD-3-Clause.
PACKAGES = {"networkx": "networkx", "numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "sympy": "sympy"}
NOT_THEIRS = frozenset({"externals", "_external", "_externals", "_vendored", "_antlr", "_lib", "_utils"})
SISTERS = frozenset({"chebyshev.py", "hermite.py", "hermite_e.py", "laguerre.py", "legendre.py"})
TESTS = frozenset({"tests", "testing", "benchmarks", "conftest.py", "setup.py"})
OTHER_LICENSES = (  # in lower case; a file that holds one of these is left out
    "permission is hereby granted",
    "apache license",
    "apache 2.0 license",
    "mit license",
    "python software foundation",
    "creativecommons",
    "matchpy/blob/master/license",
    "see license in license.txt",
)
MAX_CHARACTERS = 3000
MIN_WORDS = 40
MOST_NAMED, MOST_AKIN = 2, 2
LICENSE = "BSD-3-Clause"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def version() -> str:
    """Everything that the bytes of this corpus depend on."""
    return f"expert 3, {package_versions((*PACKAGES.values(), 'zstandard'))}"


def source_files(folder: Path) -> list[Path]:
    """Python files of a package, sorted, without tests, vendored code and sister modules."""
    left_out = NOT_THEIRS | TESTS | SISTERS
    return sorted(path for path in folder.rglob("*.py") if left_out.isdisjoint(path.relative_to(folder).parts))


def functions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Functions of a module and methods of its classes with their dotted names, in order; no inner functions."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from functions(node.body, f"{prefix}{node.name}.")


def source_text(lines: list[str], node: Function) -> str:
    """Source of a function, decorators included, without the indentation of its class."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return textwrap.dedent("".join(lines[first - 1 : node.end_lineno])).strip()


def first_word(name: str) -> str:
    """First word of a function's name: as far as an underscore, those at its beginning left out."""
    return name.lstrip("_").partition("_")[0]


def records(package: str) -> Iterator[dict[str, str]]:
    """One record per documented function of an installed package, in order of file and line; ids are unique."""
    folder = package_folder(package)
    seen: dict[str, int] = {}
    named = Counter[str]()
    for path in source_files(folder):
        source = path.read_text(encoding="utf-8")
        lowered = source.lower()
        if any(phrase in lowered for phrase in OTHER_LICENSES):
            continue
        lines = source.splitlines(keepends=True)
        akin = Counter[str]()
        module = ".".join((package, *path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__")
        for name, node in functions(ast.parse(source).body):
            docstring = ast.get_docstring(node, clean=False) or ""
            if len(docstring.split()) < MIN_WORDS or len(text := source_text(lines, node)) > MAX_CHARACTERS:
                continue
            named[node.name] += 1
            akin[first_word(node.name)] += 1
            if named[node.name] > MOST_NAMED or akin[first_word(node.name)] > MOST_AKIN:
                continue
            own_id = f"{module}.{name}"
            seen[own_id] = seen.get(own_id, 0) + 1
            yield {
                "id": own_id if seen[own_id] == 1 else f"{own_id}-{seen[own_id]}",
                "text": text,
                "rationale": inspect.cleandoc(docstring),
                "module": module,
                "author": f"{PACKAGES[package]} developers",
                "license": LICENSE,
            }


def build(out: Path, packages: Collection[str] = tuple(PACKAGES)) -> Corpus:
    """Write `expert.jsonl.zst` into `out`.

    Raises:
        PolycultureError: one of the packages is not installed.
    """
    path = out / "expert.jsonl.zst"
    documents = text_bytes = 0
    lines = bytearray()
    for package in sorted(packages):
        for record in records(package):
            lines += orjson.dumps(record) + b"\n"
            documents += 1
            text_bytes += len(record["text"].encode())
    path.write_bytes(zstandard.ZstdCompressor(level=9, write_checksum=True).compress(bytes(lines)))
    return Corpus("scientific_code", Kind.EXPERT, path, documents, text_bytes)
