"""Run jobs as flows of a Prefect server. Importing this module imports Prefect."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from prefect import tags
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL
from pydantic import BaseModel

from polyculture.errors import PolycultureError
from polyculture.publish.run import Answers
from polyculture.steps.session import Listener
from polyculture.steps.top_up import TopUpRequest
from schemas.pilot import PilotReport
from schemas.publication import Publication
from schemas.verdict import Verdict
from tasks.host import listen

Result = TypeVar("Result", bound=BaseModel)


class Prefect:
    """Runs jobs as flows in this process. Every method raises a PolycultureError if the server does not answer."""

    def run(
        self, command: Literal["run", "audit"], config: Path, out: Path, workers: int | None, listener: Listener
    ) -> Verdict:
        """Curate or audit a corpus."""
        from flows.audit import audit
        from flows.curate import curate

        flow = {"run": curate, "audit": audit}[command]
        return _run(lambda: flow(str(config), str(out), workers), Verdict, f"config:{config.stem}", listener)

    def pilot(
        self, config: Path, out: Path, corpus: tuple[int, int | None], workers: int | None, listener: Listener
    ) -> PilotReport:
        """Forecast a corpus."""
        from flows.pilot import pilot

        documents, largest = corpus
        return _run(
            lambda: pilot(str(config), documents, str(out), largest, workers),
            PilotReport,
            f"config:{config.stem}",
            listener,
        )

    def top_up(self, asked: TopUpRequest, workers: int | None, listener: Listener) -> Verdict:
        """Top up a run."""
        from flows.top_up import top_up

        return _run(
            lambda: top_up(
                str(asked.run),
                asked.consumed,
                str(asked.candidates),
                asked.tokens,
                asked.tokens_per_step,
                str(asked.out) if asked.out else None,
                workers,
                [str(path) for path in asked.earlier],
            ),
            Verdict,
            f"run:{asked.run.name}",
            listener,
        )

    def publish(
        self, run: Path, url: str, answers: Answers, credentials_block: str | None, listener: Listener
    ) -> Publication:
        """Publish a run; the URL holds no secrets."""
        from flows.publish import publish

        name, reason = answers or (None, None)
        return _run(
            lambda: publish(str(run), url, name, reason, credentials_block), Publication, f"run:{run.name}", listener
        )


def _run(start: Callable[[], object], result: type[Result], tag: str, listener: Listener) -> Result:
    """Run a flow to its end.

    Args:
        start: calls the flow with its parameters.
        result: the model of what the flow returns.
        tag: the tag of the flow run.
        listener: told of each step's progress.

    Raises:
        PolycultureError: the Prefect server that the settings name does not answer.
        Exception: whatever the flow raised.
    """
    _reach_server()
    listen(listener)
    with tags("polyculture", tag):
        return result.model_validate(start())


def _reach_server() -> None:
    address = PREFECT_API_URL.value()
    if address is None:
        return  # a server is started for the time being
    with get_client(sync_client=True) as client:
        problem = client.api_healthcheck()
    if problem is not None:
        raise PolycultureError(
            f"PREFECT_API_URL: no Prefect server answers at {address} ({type(problem).__name__}); "
            "start it, correct the address, or unset it to run without one"
        )
