"""Stops of a command by a person or the machine: Ctrl-C, SIGTERM and a closed terminal are one, and it ends soon."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from polyculture.errors import Stopped, stop_behind

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE_SECONDS = 8.0  # for a kernel that returns, workers that end, and a server that is told


@contextmanager
def stoppable() -> Iterator[None]:
    """Inside the block the signals that stop a command raise Stopped.

    Python handles a signal between two of its own instructions, so not while a kernel runs. If the block is not left
    eight seconds after a signal, the process ends there: what it has done stands, as after a kill.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    heard, hears = socket.socketpair()
    heard.setblocking(False)
    left = threading.Event()
    threading.Thread(target=_end_in_time, args=(hears, left), daemon=True).start()
    numbers = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]  # as under nohup
    wakeup = signal.set_wakeup_fd(heard.fileno(), warn_on_full_buffer=False)
    before = {number: signal.signal(number, _stop) for number in numbers}
    try:
        yield
    except Exception as error:
        stop = stop_behind(error)
        if stop is not None:
            raise Stopped(*stop.args) from error
        raise
    finally:
        left.set()
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        heard.close()


def _end_in_time(hears: socket.socket, left: threading.Event) -> None:
    with hears:
        while number := hears.recv(1):
            if number[0] in SIGNALS:
                break
        else:
            return
        if not left.wait(PATIENCE_SECONDS):
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"error: stopped; the same command resumes\n")
            os._exit(1)


def _stop(*_: object) -> None:
    raise Stopped
