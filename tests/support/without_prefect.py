"""The flows as plain functions: a stand-in for Prefect, and no worker processes, so that a run costs only its work.

Import it before a flow is imported, in a process that does nothing else.
"""

import importlib.machinery
import sys
import types
from collections.abc import Callable
from typing import Any

from polyculture.compute.in_process import InProcess


class Plain:
    """What a task is annotated with."""

    def __class_getitem__(cls, _: object) -> type:
        return cls


class Done:
    """What a submitted task leaves."""

    def __init__(self, value: object) -> None:
        self.value = value

    def result(self) -> object:
        return self.value


def _decorate(*given: Any, **_: Any) -> Any:
    def plain(function: Callable[..., Any]) -> Callable[..., Any]:
        function.submit = lambda *a, **b: Done(function(*a, **b))  # type: ignore[attr-defined]
        return function

    return plain(given[0]) if given and callable(given[0]) else plain


class MissingContextError(RuntimeError):
    """As Prefect's: there is no run to log to."""


def _no_run() -> object:
    raise MissingContextError


def _module(name: str, **content: object) -> None:
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    module.__dict__.update(content)
    sys.modules[name] = module


def install() -> None:
    nothing: Any = lambda *_, **__: None  # noqa: E731 -- every name that is only called for its effect
    _module("prefect", Task=Plain, task=_decorate, flow=_decorate, runtime=None, get_run_logger=_no_run, tags=nothing)
    _module("prefect.cache_policies", NO_CACHE=None)
    _module("prefect.exceptions", MissingContextError=MissingContextError)
    _module("prefect.artifacts", create_markdown_artifact=nothing)
    _module("prefect.client", __path__=[])
    _module("prefect.client.schemas", __path__=[])
    _module("prefect.client.schemas.objects", State=dict)
    _module("prefect.states", Completed=lambda **fields: fields)
    _module("prefect.task_runners", TaskRunner=dict, ThreadPoolTaskRunner=nothing)
    from polyculture.compute import executor

    executor.EXECUTORS = {"local": InProcess}
