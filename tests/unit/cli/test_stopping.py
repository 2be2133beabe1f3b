"""A stop stays a stop, with what was reached, whatever fails while it unwinds."""

import os

import pytest

from cli.stopping import stoppable
from polyculture.compute.local import Local
from polyculture.errors import Stopped


def stop_and_fail() -> None:
    try:
        raise Stopped("after two steps")
    finally:
        os.close(-1)


def test_what_fails_while_a_stop_unwinds_is_the_stop() -> None:
    with pytest.raises(Stopped, match="after two steps"), stoppable():
        stop_and_fail()


def test_what_fails_by_itself_is_an_error() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"), stoppable():
        os.close(-1)


def test_a_pool_that_is_half_closed_does_not_hide_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Local(1)

    def shutdown(**_: object) -> None:
        os.close(-1)

    monkeypatch.setattr(workers._pool, "shutdown", shutdown)
    with pytest.raises(Stopped), workers:
        raise Stopped
