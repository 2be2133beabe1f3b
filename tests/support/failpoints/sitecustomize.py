"""Numbers what a process and its workers do to the files of one folder, and makes the n-th step fail.

Python imports a module of this name at its start: with this folder on PYTHONPATH and a plan in FAILPOINTS, a command
and every process that it starts share one count, as each appends its step to one trace. The product knows nothing of
it.
"""

import errno
import json
import os
import signal
from pathlib import Path
from typing import Any

RECORD = 240  # bytes of a step in the trace, so that a place in it is a number
SIZE_FRACTION = 3  # a short write takes a third


class Failpoints:
    """Puts itself in the place of the system's calls.

    The plan: `root`, the folder; `trace`, the file of steps; `at`, the number of the step, from 0 (None: none fails),
    or `match`, how a step begins that fails; `act`: kill (the process dies before the step), torn (a write is done in
    part, then it dies), short (a write takes only a part), or the name of an error. A full disk stays full: after
    ENOSPC every later write fails too.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        self.root, self.at, self.act, self.match = plan["root"], plan["at"], plan["act"], plan.get("match")
        self.pid = -1
        self.trace_path, self.is_full = plan["trace"], False
        self.real = {name: getattr(os, name) for name in ("open", "write", "pwrite", "fsync", "replace", "link")}
        self.real |= {name: getattr(os, name) for name in ("rename", "unlink", "mkdir")}

    def install(self) -> None:
        for name in self.real:
            setattr(os, name, self._stand_in(name))

    def _stand_in(self, name: str) -> Any:
        real = self.real[name]

        def call(first: Any, *rest: Any, **named: Any) -> Any:
            path = self._path(name, first, named)
            if path is None:
                return real(first, *rest, **named)
            number = self._step(name, path)
            is_due = number == self.at or (self.match and f"{name} {path}".startswith(self.match))
            if is_due and self.act == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if is_due and self.act in ("torn", "short") and name == "write":
                taken = real(first, memoryview(rest[0])[: max(1, len(rest[0]) // SIZE_FRACTION)])
                if self.act == "torn":
                    os.kill(os.getpid(), signal.SIGKILL)
                return taken
            if (is_due and self.act.startswith("E")) or (self.is_full and name in ("write", "pwrite")):
                self.is_full = self.act == "ENOSPC"
                code = getattr(errno, self.act)
                raise OSError(code, os.strerror(code))
            return real(first, *rest, **named)

        return call

    def _path(self, name: str, first: Any, named: dict[str, Any]) -> str | None:
        """The file that a call is about, relative to the root; None if it lies elsewhere."""
        if named.get("dir_fd") is not None or (isinstance(first, int) and name not in ("write", "pwrite", "fsync")):
            return None
        path = str(Path(f"/proc/self/fd/{first}").readlink()) if isinstance(first, int) else os.fspath(first)
        if not isinstance(path, str) or not path.startswith(self.root):
            return None
        return path[len(self.root) :].lstrip("/") or "."

    def _step(self, name: str, path: str) -> int:
        if self.pid != os.getpid():  # a forked child would share the place in the file
            self.pid = os.getpid()
            self.descriptor = self.real["open"](self.trace_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        record = f"{name} {path}"[: RECORD - 1].ljust(RECORD - 1) + "\n"
        self.real["write"](self.descriptor, record.encode())
        return os.lseek(self.descriptor, 0, os.SEEK_CUR) // RECORD - 1


if "FAILPOINTS" in os.environ:
    Failpoints(json.loads(os.environ["FAILPOINTS"])).install()
