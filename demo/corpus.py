"""The result of every builder of a demo corpus, and the search for the packages whose text it uses."""

import importlib.util
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from polyculture.errors import PolycultureError
from schemas.documents import Kind


@dataclass(frozen=True, slots=True)
class Corpus:
    """One corpus on disk.

    Attributes:
        name: the source's name in the demo's configurations.
        kind: who wrote it.
        path: its only file.
        documents: how many documents it holds.
        text_bytes: UTF-8 bytes of their text; of the whole HTML pages for the web corpus.
    """

    name: str
    kind: Kind
    path: Path
    documents: int
    text_bytes: int


def package_folder(name: str) -> Path:
    """Folder of an installed package, which is looked up without being imported.

    Raises:
        PolycultureError: the package is not installed.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise PolycultureError(
            f"the demo takes text from the package {name!r}, which is not installed: pip install 'polyculture[demo]'"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def package_versions(distributions: tuple[str, ...]) -> str:
    """Versions of distributions in one line, such as `numpy 2.4.6, scipy 1.17.1`."""
    return ", ".join(f"{name} {version(name)}" for name in distributions)
