"""A folder that compiled kernels can be kept in: by numba's own choice, or a private one below the temporary folder."""

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from polyculture.errors import ConfigError

VARIABLE = "NUMBA_CACHE_DIR"
CURE = f"set {VARIABLE} to a folder that can be written to"


def kernel_folder(environment: Mapping[str, str], package: Path = Path(__file__).parent) -> str:
    """The folder to keep kernels in; empty where numba finds one itself: beside the code, or in the user's cache.

    Kernels are loaded as code, so a folder that several people can write to is never taken.

    Args:
        environment: of the process.
        package: a folder of the product that holds kernels.

    Raises:
        ConfigError: the folder that the environment names cannot be used, or there is none at all.
    """
    named = environment.get(VARIABLE)
    if named:
        if not _is_usable(Path(named)):
            raise ConfigError(f"{VARIABLE}: cannot write to {named}, where compiled kernels are to be kept; {CURE}")
        return named
    cache = _users_cache(environment)
    if _is_usable(package / "__pycache__") or (cache.is_absolute() and _is_usable(cache)):
        return ""
    return str(_private_folder())


def has_kernels(environment: Mapping[str, str], package: Path = Path(__file__).parents[1]) -> bool:
    """True if kernels were compiled before, for this installation or another: then little or nothing is compiled now.

    Args:
        environment: of the process.
        package: the folder of the core.

    Raises:
        ConfigError: there is no folder that they could be kept in.
    """
    folder = kernel_folder(environment)
    places = [Path(folder)] if folder else [package / "text", _users_cache(environment)]
    return any(True for place in places for _ in place.rglob("*.nbi"))


def _users_cache(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser(), "numba")


def _private_folder() -> Path:
    """A folder below the temporary one that nobody else can write to, the same for each process of a user."""
    try:
        folder = Path(tempfile.gettempdir(), f"polyculture-kernels-{os.getuid()}")
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise ConfigError(f"no folder for compiled kernels: {error.strerror}; {CURE}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise ConfigError(f"{folder}: other people can write to it, so no kernels are loaded from there; {CURE}")
    if not _is_usable(folder):
        raise ConfigError(f"no folder for compiled kernels: cannot write to {folder}; {CURE}")
    return folder


def _is_usable(folder: Path) -> bool:
    """True if a file can be made in the folder, which is made if it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True
