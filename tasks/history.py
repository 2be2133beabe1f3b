"""History of runs: the journal of a run directory, as flow runs, task runs, logs and artifacts of a Prefect server.

A job does not wait for the server. Its host keeps the journal; a thread sends what is new in it, as far as the server
takes it, and what is left goes with the next command. What is sent twice is there once: ids follow from the journal,
and of lines, which have none, the server is asked after a request that may have been lost.
"""

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple, cast

from prefect.client.orchestration import SyncPrefectClient
from pydantic import ValidationError

from polyculture.errors import OutputError, PolycultureError, Stopped
from polyculture.steps.journal import JOURNAL
from polyculture.storage.files import write_text
from polyculture.storage.messages import brief
from polyculture.storage.run_directory import RunDirectory
from schemas.journal import History, JobRun, JournalEntry, Sent
from schemas.verdict import VerdictValue
from tasks.server import UnreachableError, connect, requests_tried
from tasks.shown import shown_verdict

HISTORY = "history.json"
TICK_SECONDS = 1.0
RETRY_SECONDS = 5.0
LAST_SECONDS = 15.0
STOPPED_SECONDS = 3.0  # a run that is stopped does not keep a person waiting
TIMES = 3  # a server with SQLite answers 503 while it is busy
BATCH_BYTES = 2**18
MOST_CHARACTERS = 10_000  # of one message
LOGS_AT_ONCE = 200  # more a server does not give
STATES = {"begun": ("RUNNING", "Running"), "done": ("COMPLETED", "Completed")}
ENDS = {"failed": ("FAILED", "Failed"), "stopped": ("CANCELLED", "Cancelled")}
VERDICTS = frozenset(value.value for value in VerdictValue)


class Line(NamedTuple):
    """A line of the journal: its first byte, the byte after it, and what it says; None if it cannot be read."""

    at: int
    end: int
    entry: JournalEntry | None


class Follower:
    """Sends the journals of jobs while they run."""

    def __init__(self, address: str) -> None:
        """Send to the server of an address, which the settings name too."""
        self.address = address
        self.problem: str | None = None

    @contextmanager
    def following(self, directory: RunDirectory) -> Iterator[None]:
        """Inside the block, send what is new in the journal of a run directory; at its end, the rest.

        `problem` says afterwards why the server does not have all of it, in words that follow its address.
        """
        sender, stop = Sender(directory, self.address), threading.Event()
        thread = threading.Thread(target=self._follow, args=(sender, stop), daemon=True)
        thread.start()
        seconds = LAST_SECONDS
        try:
            yield
        except (KeyboardInterrupt, Stopped):
            seconds = STOPPED_SECONDS
            raise
        finally:
            stop.set()
            thread.join(seconds)
            if thread.is_alive() and self.problem is None:
                self.problem = f"did not take all of it within {seconds:.0f} s"

    def _follow(self, sender: "Sender", stop: threading.Event) -> None:
        seconds = TICK_SECONDS
        while not stop.wait(seconds):
            seconds = TICK_SECONDS if self._has_sent(sender) else RETRY_SECONDS
        self._has_sent(sender)

    def _has_sent(self, sender: "Sender") -> bool:
        try:
            sender.send()
        except (UnreachableError, OutputError) as error:
            self.problem = str(error)
            return False
        except Exception as error:  # noqa: BLE001 -- whatever it is, the job goes on without its history
            self.problem = f"is not told: {type(error).__name__}: {brief(str(error), 200)}"
            return False
        self.problem = None
        return True


class Sender:
    """Brings a server up to date with the journal of a run directory."""

    def __init__(self, directory: RunDirectory, address: str) -> None:
        """Send to the server of an address, which the settings name too."""
        self._directory, self._address = directory, address
        self._path = directory.state / HISTORY
        self._history = self._read()
        self.sent = self._history.servers.get(address, Sent())
        self.flow_runs = 0
        self._is_sure = False  # that the server has no more than was kept

    def send(self) -> None:
        """Send what the server does not have.

        Raises:
            UnreachableError: the server does not take it; what it has taken is not sent again.
            OutputError: the run directory cannot be written.
        """
        while lines := self._new_lines():
            with requests_tried(TIMES):
                self._pass_on(lines)

    def _pass_on(self, lines: list[Line]) -> None:
        with connect() as client:
            batch, self._is_sure = Batch(client, is_sure=self._is_sure), False
            for line in lines:
                self._pass(line, client, batch)
            batch.send()
            self._keep(lines[-1].end)
            self._is_sure = True

    def _pass(self, line: Line, client: SyncPrefectClient, batch: "Batch") -> None:
        entry = line.entry
        if entry is None:
            return
        if entry.run is not None:
            self._open(entry, entry.run, line, client, batch)
        elif self.sent.flow_run is None:
            return
        elif entry.event == "said":
            batch.log(self.sent.flow_run, entry, logging.INFO)
        elif entry.step and entry.event != "ended":
            self._pass_step(entry, self.sent.flow_run, line, batch)
        else:
            self._close(entry, self.sent.flow_run, line, client, batch)

    def _open(self, entry: JournalEntry, run: JobRun, line: Line, client: SyncPrefectClient, batch: "Batch") -> None:
        """Create the flow run of a job; one that is still open ended without a word."""
        if self.sent.flow_run is not None:
            batch.send()
            message = "the process ended without a word; the same command resumed"
            _set_state(client, self.sent.flow_run, "CRASHED", "Crashed", message)
        flow = _post(client, "/flows/", {"name": run.job})["id"]
        asked = {
            "flow_id": flow,
            "name": run.name,
            "tags": ["polyculture", *run.tags],
            "parameters": run.parameters,
            "idempotency_key": run.id,
            "state": {"type": "PENDING", "message": f"begun at {entry.at:%Y-%m-%d %H:%M:%S} UTC"},
        }
        made = str(_post(client, "/flow_runs/", asked)["id"])
        _set_state(client, made, "RUNNING", "Running", f"begun at {entry.at:%Y-%m-%d %H:%M:%S} UTC")
        self.flow_runs += 1
        self.sent = Sent(bytes=line.end, flow_run=made)
        self._keep(line.end)

    def _pass_step(self, entry: JournalEntry, flow_run: str, line: Line, batch: "Batch") -> None:
        at, begun = self.sent.begun.get(entry.step, (line.at, entry.at))
        others = {step: of for step, of in self.sent.begun.items() if step != entry.step}
        if entry.event == "begun":
            at, begun = line.at, entry.at
            others[entry.step] = (at, begun)
        elif entry.event == "failed":
            batch.log(flow_run, entry, logging.ERROR)
        self.sent = self.sent.model_copy(update={"begun": others})
        batch.step(flow_run, entry, at, begun, line.at)

    def _close(self, entry: JournalEntry, flow_run: str, line: Line, client: SyncPrefectClient, batch: "Batch") -> None:
        """End the flow run of a job, and show its verdict."""
        batch.send()
        kind, name = ENDS.get(entry.event, ("COMPLETED", entry.step))
        is_last = line.end == self._size()  # the verdict of an earlier run of the directory is no longer there
        if name in VERDICTS and is_last:
            self._show(flow_run, client)
        _set_state(client, flow_run, kind, name, f"{entry.message} ({entry.at:%Y-%m-%d %H:%M:%S} UTC)".strip())
        self.sent = Sent(bytes=line.end)
        self._keep(line.end)

    def _show(self, flow_run: str, client: SyncPrefectClient) -> None:
        try:
            shown = shown_verdict(self._directory)
        except (OSError, ValueError, PolycultureError):
            return  # verify says what is wrong with the run
        artifact = {
            "key": shown.key,
            "type": "markdown",
            "description": shown.description,
            "data": shown.text,
            "flow_run_id": flow_run,
        }
        _post(client, "/artifacts/", artifact)

    def _new_lines(self) -> list[Line]:
        try:
            with (self._directory.state / JOURNAL).open("rb") as stream:
                stream.seek(self.sent.bytes)
                found = stream.read(BATCH_BYTES)
                while b"\n" not in found and (more := stream.read(BATCH_BYTES)):
                    found += more
        except FileNotFoundError:
            return []
        lines, at = [], self.sent.bytes
        for text in found[: found.rfind(b"\n") + 1].splitlines(keepends=True):
            lines.append(Line(at, at + len(text), _parsed(text)))
            at += len(text)
        return lines

    def _size(self) -> int:
        return (self._directory.state / JOURNAL).stat().st_size

    def _keep(self, end: int) -> None:
        self.sent = self.sent.model_copy(update={"bytes": end})
        self._history = History(servers=self._history.servers | {self._address: self.sent})
        write_text(self._path, self._history.model_dump_json(exclude_none=True) + "\n")

    def _read(self) -> History:
        try:
            return History.model_validate_json(self._path.read_bytes())
        except (OSError, ValidationError):
            return History()


class Batch:
    """Events and log lines that go in two requests."""

    def __init__(self, client: SyncPrefectClient, *, is_sure: bool) -> None:
        """Gather for a client; `is_sure` that none of it is there already."""
        self._client, self._is_sure = client, is_sure
        self._events: list[dict[str, Any]] = []
        self._logs: list[dict[str, Any]] = []

    def send(self) -> None:
        """Send what was gathered."""
        if self._events:
            _post(self._client, "/events", self._events)
        logs = self._logs if self._is_sure else self._unknown()
        if logs:
            _post(self._client, "/logs/", logs)
        self._events, self._logs = [], []

    def _unknown(self) -> list[dict[str, Any]]:
        """The lines that the server does not have."""
        if not self._logs:
            return []
        known: set[tuple[datetime, str]] = set()
        asked = {
            "logs": {
                "flow_run_id": {"any_": sorted({log["flow_run_id"] for log in self._logs})},
                "timestamp": {"after_": min(log["timestamp"] for log in self._logs)},
            },
            "sort": "TIMESTAMP_ASC",
            "limit": LOGS_AT_ONCE,
        }
        while True:
            offset = len(known)
            found = _post(self._client, "/logs/filter", asked | {"offset": offset})
            known |= {(datetime.fromisoformat(log["timestamp"]), log["message"]) for log in found}
            if len(known) == offset:
                break
        return [log for log in self._logs if (datetime.fromisoformat(log["timestamp"]), log["message"]) not in known]

    def log(self, flow_run: str, entry: JournalEntry, level: int) -> None:
        """Add a line to the log of a flow run."""
        self._logs.append(
            {
                "name": "polyculture",
                "level": level,
                "message": brief(entry.message, MOST_CHARACTERS),
                "timestamp": entry.at.isoformat(),
                "flow_run_id": flow_run,
            }
        )

    def step(self, flow_run: str, entry: JournalEntry, at: int, begun: Any, line: int) -> None:
        """Add a state of a task run.

        Args:
            flow_run: id of the flow run.
            entry: the beginning or the end of a step.
            at: byte of the journal at which the line of the step's beginning begins.
            begun: when it began.
            line: byte of the journal at which the line of this state begins.
        """
        kind, state = (STATES | ENDS)[entry.event]
        function, _, argument = entry.step.partition(" ")
        name = f"{function.partition('_')[0]} {argument}" if argument else function
        task_run = uuid.uuid5(uuid.UUID(flow_run), str(at))
        is_end = entry.event != "begun"
        timed = (
            {"end_time": entry.at.isoformat(), "total_run_time": (entry.at - begun).total_seconds()} if is_end else {}
        )
        message = brief(entry.message, MOST_CHARACTERS) or None
        self._events.append(
            {
                "id": str(uuid.uuid5(task_run, str(line))),
                "occurred": entry.at.isoformat(),
                "event": f"prefect.task-run.{state}",
                "payload": {
                    "intended": {"from": "RUNNING" if is_end else None, "to": kind},
                    "initial_state": None,
                    "validated_state": {"type": kind, "name": state, "message": message, "state_details": {}},
                    "task_run": {
                        "name": name,
                        "task_key": function,
                        "dynamic_key": str(at),
                        "run_count": 1,
                        "start_time": begun.isoformat(),
                        "expected_start_time": begun.isoformat(),
                        **timed,
                    },
                },
                "resource": {
                    "prefect.resource.id": f"prefect.task-run.{task_run}",
                    "prefect.resource.name": name,
                    "prefect.run-count": "1",
                    "prefect.state-message": message or "",
                    "prefect.state-name": state,
                    "prefect.state-timestamp": entry.at.isoformat(),
                    "prefect.state-type": kind,
                    "prefect.orchestration": "client",
                },
                "related": [
                    {"prefect.resource.id": f"prefect.flow-run.{flow_run}", "prefect.resource.role": "flow-run"}
                ],
            }
        )


def _set_state(client: SyncPrefectClient, flow_run: str, kind: str, name: str, message: str) -> None:
    state = {"type": kind, "name": name, "message": brief(message, MOST_CHARACTERS)}
    _post(client, f"/flow_runs/{flow_run}/set_state", {"state": state, "force": True})


def _post(client: SyncPrefectClient, path: str, content: object) -> Any:
    answer = client.request("POST", cast("Any", path), json=content)
    return answer.json() if answer.content else {}


def _parsed(text: bytes) -> JournalEntry | None:
    try:
        return JournalEntry.model_validate_json(text)
    except ValidationError:
        return None
