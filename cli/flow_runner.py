"""Start a flow in this process. Importing this module imports Prefect."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from prefect import tags
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL
from pydantic import BaseModel

from polyculture.errors import PolycultureError
from schemas.pilot import PilotReport
from schemas.publication import Publication
from schemas.verdict import Verdict
from tasks.progress import listen

Progress = Callable[[str, int, int | None], None]
Result = TypeVar("Result", bound=BaseModel)


def run_flow(
    name: Literal["curate", "audit"], config: Path, out: Path, workers: int | None, progress: Progress
) -> Verdict:
    """Run `curate` or `audit` to its end and return the verdict; raises as `_run` does."""
    from flows.audit import audit
    from flows.curate import curate

    flow = {"curate": curate, "audit": audit}[name]
    return _run(lambda: flow(str(config), str(out), workers), Verdict, f"config:{config.stem}", progress)


def run_pilot(config: Path, out: Path, parameters: dict[str, int | None], progress: Progress) -> PilotReport:
    """Run `pilot` to its end, with its other parameters, and return the forecast; raises as `_run` does."""
    from flows.pilot import pilot

    return _run(
        lambda: pilot(str(config), out=str(out), **parameters),  # type: ignore[arg-type]  # one dictionary for all
        PilotReport,
        f"config:{config.stem}",
        progress,
    )


def run_publish(run: Path, url: str, parameters: dict[str, str | None], progress: Progress) -> Publication:
    """Run `publish` to its end, with its other parameters; the URL holds no secrets; raises as `_run` does."""
    from flows.publish import publish

    return _run(lambda: publish(str(run), url, **parameters), Publication, f"run:{run.name}", progress)


def run_top_up(run: Path, parameters: dict[str, str | int | list[str] | None], progress: Progress) -> Verdict:
    """Run `top_up` of a parent to its end, with its other parameters, and return the verdict; raises as `_run` does."""
    from flows.top_up import top_up

    return _run(
        lambda: top_up(str(run), **parameters),  # type: ignore[arg-type]  # one dictionary for all
        Verdict,
        f"run:{run.name}",
        progress,
    )


def _run(start: Callable[[], object], result: type[Result], tag: str, progress: Progress) -> Result:
    """Run a flow to its end.

    Args:
        start: calls the flow with its parameters.
        result: the model of what the flow returns.
        tag: the tag of the flow run.
        progress: called with what is done, how much of it, and the total.

    Raises:
        PolycultureError: the Prefect server that the settings name does not answer.
        Exception: whatever the flow raised.
    """
    _reach_server()
    listen(progress)
    with tags("polyculture", tag):
        return result.model_validate(start())


def _reach_server() -> None:
    address = PREFECT_API_URL.value()
    if address is None:
        return  # the embedded server will be started
    with get_client(sync_client=True) as client:
        problem = client.api_healthcheck()
    if problem is not None:
        raise PolycultureError(
            f"PREFECT_API_URL: no Prefect server answers at {address} ({type(problem).__name__}); "
            "start it, correct the address, or unset it to use the embedded server"
        )
