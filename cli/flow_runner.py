"""Start a flow in this process. Importing this module imports Prefect."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from prefect import tags
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL

from polyculture.errors import PolycultureError
from schemas.pilot import PilotReport
from schemas.publication import Publication
from schemas.verdict import Verdict
from tasks.progress import listen


def run_flow(
    name: Literal["curate", "audit"],
    config: Path,
    out: Path,
    workers: int | None,
    progress: Callable[[str, int, int | None], None],
) -> Verdict:
    """Run a flow to its end and return the verdict.

    Raises:
        PolycultureError: the Prefect server that the settings name does not answer.
        Exception: whatever the flow raised.
    """
    from flows.audit import audit
    from flows.curate import curate

    _reach_server()
    listen(progress)
    with tags("polyculture", f"config:{config.stem}"):
        verdict = {"curate": curate, "audit": audit}[name](str(config), str(out), workers)
    return Verdict.model_validate(verdict)


def run_pilot(
    config: Path, out: Path, parameters: dict[str, int | None], progress: Callable[[str, int, int | None], None]
) -> PilotReport:
    """Run the pilot flow to its end and return what it found.

    Args:
        config: the configuration file.
        out: the output directory.
        parameters: the flow's other parameters.
        progress: called with what, done and total.

    Raises:
        PolycultureError: the Prefect server that the settings name does not answer.
        Exception: whatever the flow raised.
    """
    from flows.pilot import pilot

    _reach_server()
    listen(progress)
    with tags("polyculture", f"config:{config.stem}"):
        found = pilot(str(config), out=str(out), **parameters)  # type: ignore[arg-type]  # one dictionary for all
    return PilotReport.model_validate(found)


def run_publish(
    run: Path, url: str, parameters: dict[str, str | None], progress: Callable[[str, int, int | None], None]
) -> Publication:
    """Run the publish flow to its end and return what it did.

    Args:
        run: the run directory.
        url: the destination, without secrets.
        parameters: the flow's other parameters.
        progress: called with what, done and total.

    Raises:
        PolycultureError: the Prefect server that the settings name does not answer.
        Exception: whatever the flow raised.
    """
    from flows.publish import publish

    _reach_server()
    listen(progress)
    with tags("polyculture", f"run:{run.name}"):
        done = publish(str(run), url, **parameters)
    return Publication.model_validate(done)


def run_top_up(
    run: Path, parameters: dict[str, str | int | list[str] | None], progress: Callable[[str, int, int | None], None]
) -> Verdict:
    """Run the top-up flow to its end and return the verdict.

    Args:
        run: run directory of the parent.
        parameters: the flow's other parameters.
        progress: called with what, done and total.

    Raises:
        PolycultureError: the Prefect server that the settings name does not answer.
        Exception: whatever the flow raised.
    """
    from flows.top_up import top_up

    _reach_server()
    listen(progress)
    with tags("polyculture", f"run:{run.name}"):
        verdict = top_up(str(run), **parameters)  # type: ignore[arg-type]  # one dictionary for all
    return Verdict.model_validate(verdict)


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
