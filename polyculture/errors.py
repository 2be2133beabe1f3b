"""Errors that a person can act on. The command line maps each to its exit code."""


class PolycultureError(Exception):
    """Something went wrong that the message explains: what was wanted, what came, what to do. Exit code 1.

    Each argument is a problem of its own, which a person reads on a line of its own.
    """

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class ConfigError(PolycultureError):
    """The configuration or the command cannot be carried out as written. Exit code 2."""


class OutputError(PolycultureError):
    """A file cannot be written. Exit code 1."""


class RunInUseError(PolycultureError):
    """Another process works on the run directory. Exit code 5."""


class GateClosedError(PolycultureError):
    """A run may not be published. Exit code 3 or 4, by the verdict that stands in it."""

    def __init__(self, message: str, verdict: str) -> None:
        super().__init__(message)
        self.verdict = verdict


class Stopped(BaseException):
    """A person or the machine stops what is under way. Nothing that handles errors takes it for one."""


def stop_behind(error: BaseException) -> BaseException | None:
    """The stop that an error is, or arose from while it unwound the stack; None if nobody stops anything."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, KeyboardInterrupt | Stopped):
        seen = seen.__cause__ or seen.__context__
    return seen
