"""A server is tried before it is used: what is wrong with it is one line, soon, and no proxy stands between."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import prefect
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks import server
from tasks.server import UnreachableError, check_server, is_this_machine, reach_past_proxies, within
from tests.support.processes import free_port
from tests.support.servers import answering

OURS = f'"{prefect.__version__}"'.encode()


@contextmanager
def configured(address: str) -> Iterator[None]:
    with temporary_settings({PREFECT_API_URL: address}):
        yield


def refusal(address: str) -> str:
    with configured(address), pytest.raises(UnreachableError) as raised:
        check_server()
    words = str(raised.value)
    assert "\n" not in words
    assert "unset PREFECT_API_URL to run without a server" in words
    return words


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.5)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_a_server_of_this_version_is_used() -> None:
    with answering(200, OURS) as (address, asked), configured(f"{address}/api"):
        assert check_server() == f"{address}/api"
        assert asked == ["GET /api/admin/version HTTP/1.1"]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b'{"exception_message": "Unauthorized"}', "refuses the credentials (401 Unauthorized)"),
        (403, b"", "refuses the credentials (403 Forbidden)"),
        (404, b"nothing", "has no API of a Prefect server there (404 Not Found)"),
        (500, b"oh", "answers 500 Internal Server Error"),
        (503, b"", "answers 503 Service Unavailable"),
        (200, b"<html>hello</html>", "answers, but not as the API of a Prefect server"),
        (200, b'{"version": 3}', "answers, but not as the API of a Prefect server"),
        (200, b'"2.20.4"', f"is Prefect 2.20.4, which Prefect {prefect.__version__} of this command cannot talk to"),
        (200, b'"4.0.0"', "is Prefect 4.0.0"),
    ],
)
def test_an_answer_of_anything_else_is_said(status: int, body: bytes, words: str) -> None:
    with answering(status, body) as (address, asked):
        assert words in refusal(f"{address}/api")
        assert len(asked) == 1  # nothing is tried again and again


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:{port}/api", "does not answer: connection refused"),
        ("http://user:secret@127.0.0.1:{port}/api", "PREFECT_API_URL: http://127.0.0.1:{port}/api does not answer"),
        ("http://no-such-host.invalid/api", "does not answer: "),
        ("127.0.0.1:{port}/api", "is no address of an API"),
        ("ftp://127.0.0.1/api", "is no address of an API"),
    ],
)
def test_an_address_at_which_nothing_answers_is_said(address: str, words: str) -> None:
    port = free_port()
    said = refusal(address.format(port=port))
    assert words.format(port=port) in said
    assert "secret" not in said


def test_a_server_that_never_answers_is_not_waited_for() -> None:
    with answering(200, OURS, seconds=60) as (address, _):
        assert "does not answer: nothing came for" in refusal(f"{address}/api")


def test_a_call_that_does_not_end_is_left_behind() -> None:
    with pytest.raises(UnreachableError, match="does not answer within 0 s"):
        within(0.05, lambda: time.sleep(5))
    with pytest.raises(KeyError):
        within(5, lambda: dict[str, int]()["no matter of the server"])


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_no_request_to_this_machine_goes_through_a_proxy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(200, OURS) as (proxy, carried), answering(200, OURS) as (address, asked):
        monkeypatch.setenv(name, proxy)
        with configured(f"{address}/api"):
            check_server()
        assert carried == []
        assert len(asked) == 1


def test_a_proxy_stays_for_others_and_what_was_excepted_stays_so() -> None:
    environment = {"ALL_PROXY": "http://proxy:3128", "no_proxy": "inside.example"}
    reach_past_proxies(environment, "https://prefect.example/api")
    assert environment == {"ALL_PROXY": "http://proxy:3128", "no_proxy": "inside.example"}
    for _ in range(2):
        reach_past_proxies(environment, "http://[::1]:4200/api")
        assert environment["no_proxy"] == environment["NO_PROXY"] == "inside.example,::1"
    untouched: dict[str, str] = {}
    reach_past_proxies(untouched, "http://127.0.0.1:4200/api")
    assert untouched == {}


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("localhost", True),
        ("LocalHost.", True),
        ("prefect.localhost", True),
        ("[::1]", True),
        ("0.0.0.0", True),  # noqa: S104 -- an address that people give
        ("10.0.0.5", False),
        ("127.0.0.1.example", False),
        ("localhost.example", False),
    ],
)
def test_local_addresses_are_known(host: str, is_local: bool) -> None:
    assert is_this_machine(f"http://{host}:4200/api") is is_local
