"""Needs of a command on its machine, asked before it computes: it works, or one line names the cause and the cure."""

import os
import shutil
from pathlib import Path

from cli.terminal import Terminal
from polyculture.compute.kernel_cache import kernel_folder
from polyculture.compute.machine import raise_file_limit, why_no_workers
from polyculture.errors import ConfigError

LEAST_FILES = 256
SPACE_OF_INPUT = 3  # bytes that a run takes for each byte of plain text: texts, their canonical form, and shards


def check_machine(out: Path, input_bytes: int) -> None:
    """Check the surroundings of a command that computes, and better what can be bettered.

    Kernels need a folder that they are kept in, and a run open files; without semaphores the work is done in this
    process, and of a disk that is rather full a line warns.

    Args:
        out: the folder that is written to; it need not be there yet.
        input_bytes: size of all input files as they lie on disk.

    Raises:
        ConfigError: something is missing that nothing can stand in for.
    """
    kernel_folder(os.environ)
    files = raise_file_limit()
    if files < LEAST_FILES:
        raise ConfigError(f"open files: {LEAST_FILES} are needed, the limit is {files}; raise it with `ulimit -Hn`")
    why = why_no_workers()
    if why is not None:
        _warn(f"{why}; the work is done in one process")
    free, needed = _free_bytes(out), SPACE_OF_INPUT * input_bytes
    if free is not None and free < needed:
        _warn(
            f"{out}: {_size(free)} are free, and a run over {_size(input_bytes)} of files takes about {_size(needed)}, "
            "more if they are compressed; free some, or choose another --out"
        )


def _free_bytes(out: Path) -> int | None:
    there = next((folder for folder in (out, *out.parents) if folder.is_dir()), None)
    try:
        return shutil.disk_usage(there).free if there is not None else None
    except OSError:
        return None  # the file system does not say


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e8 else f"{count / 1e6:,.1f} MB"


def _warn(words: str) -> None:
    Terminal(is_error=True).line(f"warning: {words}", style="yellow")
