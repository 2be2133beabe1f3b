"""Remove exact and near-duplicates: `polyculture.dedupe(records)`.

This is a package, with the engine in its modules, and a function as well: calling it calls
`polyculture.api.deduplicate.dedupe`, where the arguments are described.
"""

import inspect
import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _CallableRoom(ModuleType):
    """The package, callable: importing a module of it puts the package in the function's place."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call the function of this name; see `polyculture.api.deduplicate.dedupe`."""
        return import_module("polyculture.api.deduplicate").dedupe(*arguments, **options)

    @property
    def __signature__(self) -> inspect.Signature:
        """Arguments of the function, as notebooks show them."""
        return inspect.signature(import_module("polyculture.api.deduplicate").dedupe)


sys.modules[__name__].__class__ = _CallableRoom
