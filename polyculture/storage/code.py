"""Source files that a module's results depend on: its own, and those that it imports, directly or not."""

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOTS = ("polyculture", "schemas")
_TREE = Path(__file__).parents[2]
_ONLY_TYPES = re.compile(r"^if TYPE_CHECKING:[^\n]*\n(?:[ \t]+[^\n]*\n|\n)*", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*from ([\w.]+) import (\([^)]*\)|[^\n]*)|^[ \t]*import ([^\n]+)", re.MULTILINE)


def source_file(module: str) -> Path | None:
    """The file of one of our modules or packages; None if there is none of that name."""
    return _files().get(module)


@cache
def _files() -> dict[str, Path]:
    """Every module of ours by its dotted name; the folders are looked at once."""
    found = {}
    for root in ROOTS:
        for path in (_TREE / root).rglob("*.py"):
            parts = path.relative_to(_TREE).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported_names(source: str) -> Iterable[str]:
    """Dotted names that a source file imports, in functions too: modules, and what it takes from them.

    What only a type checker imports decides nothing, and is left out.

    Lines of text are read, not a syntax tree, which takes a hundred times as long: what a docstring imports counts too,
    and so makes a digest change once too often. What is imported by a name made at run time is not seen.
    """
    for module, names, plain in _IMPORT.findall(_ONLY_TYPES.sub("", source)):
        if module:
            yield module
            yield from (f"{module}.{name}" for name in _listed(names))
        else:
            yield from _listed(plain)


def _listed(names: str) -> list[str]:
    """The names of a list, without brackets, comments and aliases."""
    plain = re.sub(r"#[^\n]*", "", names).strip("() \t\n").split(",")
    return [name.split(" as ")[0].strip() for name in plain if name.strip()]


@cache
def _imports(module: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Our modules that one imports, its packages among them, and the names of other people's packages."""
    path = source_file(module)
    names = set(imported_names(path.read_text("utf-8"))) if path is not None else set()
    parents = {module.rpartition(".")[0]} - {""}
    ours = {name for name in names | parents if name.split(".")[0] in ROOTS and source_file(name)}
    others = frozenset(name.split(".")[0] for name in names) - set(ROOTS)
    return tuple(sorted(ours - {module})), others


def followed(modules: Iterable[str]) -> frozenset[str]:
    """Our modules that the results of some depend on: they, and all that they import.

    Raises:
        ValueError: there is no module of that name.
    """
    seen: set[str] = set()
    left = list(modules)
    while left:
        module = left.pop()
        if source_file(module) is None:
            raise ValueError(f"no module {module}")
        if module not in seen:
            seen.add(module)
            left += _imports(module)[0]
    return frozenset(seen)


def packages_of(modules: Iterable[str]) -> frozenset[str]:
    """Top-level names of other people's packages that some modules import."""
    return frozenset().union(*(_imports(module)[1] for module in modules))


def modules_sha256(modules: Iterable[str]) -> str:
    """One digest of the names and sources of some modules, in no order."""
    digest = hashlib.sha256()
    for module in sorted(set(modules)):
        digest.update(f"{module} {_source_sha256(module)}\n".encode())
    return digest.hexdigest()


@cache
def _source_sha256(module: str) -> str:
    path = source_file(module)
    if path is None:
        raise ValueError(f"no module {module}")
    return hashlib.sha256(path.read_bytes()).hexdigest()
