"""The Prefect server that the settings name: tried before it is used, and reached past proxies if it is local."""

import contextvars
import ipaddress
import os
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import prefect
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from polyculture.errors import PolycultureError
from polyculture.storage.messages import brief

CHECK_SECONDS = 20.0
REQUEST_SECONDS = 4.0  # of a connection, or of silence; a connection is tried four times
MOST_SAID = 200
PROXY_VARIABLES = frozenset({"http_proxy", "https_proxy", "all_proxy", "ws_proxy", "wss_proxy", "socks_proxy"})
Found = TypeVar("Found")
Problem = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError)
WAYS_OUT = "; start it, correct the address, or unset PREFECT_API_URL to run without a server"


class UnreachableError(PolycultureError):
    """The server does not answer, or not as a Prefect server that can be used. The message says why."""


def server_address() -> str | None:
    """Address of the API, without a password that may stand in it; None if no server is configured."""
    address = PREFECT_API_URL.value()
    return _shown(str(address)) if address else None


def check_server() -> str:
    """Address of the server that is configured, once it has answered as one that can be used.

    Raises:
        UnreachableError: it does not, within 20 seconds; the message says why, and what to do.
    """
    address = server_address()
    if address is None:
        raise UnreachableError("no Prefect server is configured: set PREFECT_API_URL to the address of its API")
    reach_past_proxies(os.environ, address)
    try:
        within(CHECK_SECONDS, _ask_version)
    except UnreachableError as error:
        raise UnreachableError(f"PREFECT_API_URL: {address} {error}{WAYS_OUT}") from None
    return address


def ask(address: str, call: Callable[[], Found]) -> Found:
    """Result of a call that talks to the server of an address, which was checked.

    Raises:
        UnreachableError: it does not answer within 20 seconds; the message says why.
        Exception: whatever else the call raises.
    """
    try:
        return within(CHECK_SECONDS, call)
    except UnreachableError as error:
        raise UnreachableError(f"PREFECT_API_URL: {address} {error}") from None


def connect() -> SyncPrefectClient:
    """Make a client with the settings' address and credentials that tries once and waits for seconds."""
    return get_client(httpx_settings={"timeout": REQUEST_SECONDS}, sync_client=True)


def within(seconds: float, call: Callable[[], Found]) -> Found:
    """Result of a call that talks to the server, awaited for so long: names that resolve slowly are bounded too.

    Raises:
        UnreachableError: it takes longer, or cannot talk to the server; the message is the predicate of a sentence.
        Exception: whatever else the call raises.
    """
    done: list[Found] = []
    failed: list[Exception] = []

    def work() -> None:
        try:
            with requests_tried(1):
                done.append(call())
        except Exception as error:  # noqa: BLE001 -- raised below, in the thread that waits
            failed.append(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
    thread.start()
    thread.join(seconds)
    if done:
        return done[0]
    if failed:
        raise failed[0]
    raise UnreachableError(f"does not answer within {seconds:.0f} s")


@contextmanager
def requests_tried(times: int) -> Iterator[None]:
    """Inside the block each request to the server is tried so often, with some seconds in between.

    Raises:
        UnreachableError: the server does not take one; the message is the predicate of a sentence.
    """
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: times - 1}):
        try:
            yield
        except Problem as error:
            raise UnreachableError(explain(error)) from None


def explain(error: Exception) -> str:
    """Predicate of the sentence that says why the server cannot be used."""
    said = _said(error)
    match error:
        case PrefectHTTPStatusError() | httpx.HTTPStatusError():
            words = _explain_status(error.response)
        case httpx.ProxyError():
            words = f"is not reached: the proxy that the environment names fails ({said})"
        case httpx.TimeoutException():
            words = f"does not answer: nothing came for {REQUEST_SECONDS:.0f} s"
        case httpx.ConnectError():
            words = f"does not answer: {_reason(error)}"
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            words = f"is no address of an API ({said}), such as http://127.0.0.1:4200/api"
        case httpx.HTTPError() | httpx.StreamError() | OSError():
            words = f"breaks off: {said}"
        case _:
            words = f"answers, but not as the API of a Prefect server ({said})"
    return words


def is_this_machine(address: str) -> bool:
    """True if an address leads to the machine that asks, whatever its network is."""
    host = (urlsplit(address).hostname or "").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    return found.is_loopback or found.is_unspecified


def reach_past_proxies(environment: MutableMapping[str, str], address: str) -> None:
    """Have HTTP clients of this process send what goes to this machine past proxies that the environment names.

    Args:
        environment: of this process; changed where it names a proxy.
        address: of the API; others than this machine's go the way that the environment says.
    """
    host = urlsplit(address).hostname
    if host is None or not is_this_machine(address) or not _names_proxy(environment):
        return
    direct = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if host not in direct.split(","):
        direct = f"{direct},{host}" if direct else host
    environment["no_proxy"] = environment["NO_PROXY"] = direct


def _names_proxy(environment: Mapping[str, str]) -> bool:
    return any(value and name.lower() in PROXY_VARIABLES for name, value in environment.items())


def _ask_version() -> None:
    with connect() as client:
        if client.server_type.name == "CLOUD":
            problem = client.api_healthcheck()
            if problem is not None:
                raise problem
            return
        found: Any = client.api_version()
    ours = prefect.__version__
    if not isinstance(found, str) or not found[:1].isdigit():
        raise ValueError(f"/admin/version says {brief(str(found), 40)!r}")
    if found.split(".")[0] != ours.split(".")[0]:
        raise UnreachableError(f"is Prefect {brief(found, 20)}, which Prefect {ours} of this command cannot talk to")


def _explain_status(response: httpx.Response) -> str:
    status = f"{response.status_code} {response.reason_phrase}"
    if response.status_code in (401, 403):
        return (
            f"refuses the credentials ({status}): set PREFECT_API_AUTH_STRING as the server has it, "
            "or PREFECT_API_KEY for Prefect Cloud"
        )
    if response.status_code == 404:
        return f"has no API of a Prefect server there ({status}); the address ends in /api as a rule"
    return f"answers {status}"


def _reason(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__ or cause.__context__
    return _said(error)


def _said(error: Exception) -> str:
    return brief(str(error).strip().partition("\n")[0] or type(error).__name__, MOST_SAID)


def _shown(address: str) -> str:
    parts = urlsplit(address)
    return brief(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), MOST_SAID)
