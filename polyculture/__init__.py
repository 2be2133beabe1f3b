"""Polyculture: curates corpora, and measures how varied they are.

From Python: `audit` measures a corpus, `open_run` reads a finished run, `dedupe` removes duplicates from a table, a
list or files, and `signatures` makes MinHash signatures for datasketch; docs/python.md shows them all. Importing this
package loads none of what they need: a name is looked up when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polyculture.api.audit import audit
    from polyculture.api.deduplicate import Deduplicated, dedupe
    from polyculture.api.mixtures import PlanResult, WhatIfResult
    from polyculture.api.run import Run, open_run
    from polyculture.api.signatures import Signatures, shingle_hashes, signatures
    from polyculture.errors import ConfigError, PolycultureError

__version__ = "0.1.0"

__all__ = [
    "ConfigError",
    "Deduplicated",
    "PlanResult",
    "PolycultureError",
    "Run",
    "Signatures",
    "WhatIfResult",
    "audit",
    "dedupe",
    "open_run",
    "shingle_hashes",
    "signatures",
]

_HOMES = {
    "ConfigError": "polyculture.errors",
    "Deduplicated": "polyculture.api.deduplicate",
    "PlanResult": "polyculture.api.mixtures",
    "PolycultureError": "polyculture.errors",
    "Run": "polyculture.api.run",
    "Signatures": "polyculture.api.signatures",
    "WhatIfResult": "polyculture.api.mixtures",
    "audit": "polyculture.api.audit",
    "dedupe": "polyculture.api.deduplicate",
    "open_run": "polyculture.api.run",
    "shingle_hashes": "polyculture.api.signatures",
    "signatures": "polyculture.api.signatures",
}


def __getattr__(name: str) -> Any:
    """A public name, loaded when it is first asked for (PEP 562).

    Raises:
        AttributeError: there is no such name.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """The public names, for completion."""
    return sorted([*__all__, "__version__"])
