"""The entry point of the console script, and one exit code for each kind of end.

Worker processes import this module again, as the main module of the process that started them: it loads nothing.
"""

import sys
from collections.abc import Sequence

MOST_SHOWN = 10_000  # characters of one problem


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and exit with its code."""
    from cli.application import app
    from cli.stopping import stoppable
    from cli.terminal import accept_every_character, print_notes
    from polyculture.errors import ConfigError, PolycultureError, RunInUseError, Stopped

    accept_every_character()
    try:
        with stoppable():
            app(arguments, prog_name="polyculture")
    except RunInUseError as error:
        _fail(5, error)
    except ConfigError as error:
        _fail(2, error)
    except (PolycultureError, OSError) as error:
        _fail(1, error)
    except (KeyboardInterrupt, Stopped) as stopped:
        reached = f" (it was {stopped})" if str(stopped) else ""
        _fail(1, PolycultureError(f"stopped; the same command resumes{reached}"))
    finally:
        print_notes()


def _fail(code: int, error: Exception) -> None:
    from cli.terminal import Terminal, print_notes
    from polyculture.errors import PolycultureError
    from polyculture.storage.messages import brief

    print_notes()
    problems = [str(problem) for problem in error.args] if isinstance(error, PolycultureError) else [str(error)]
    for number, problem in enumerate(problems):
        Terminal(is_error=True).line("" if number else "error: ", brief(problem, MOST_SHOWN), style="red")
    sys.exit(code)


if __name__ == "__main__":
    main()
