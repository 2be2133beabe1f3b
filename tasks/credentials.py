"""Credentials of a destination, kept in a Secret block and nowhere else."""

import json
from typing import Any

from prefect.blocks.system import Secret
from pydantic import TypeAdapter, ValidationError

from polyculture.errors import ConfigError


def load_options(block: str | None) -> dict[str, str]:
    """Contents of a Secret block: a JSON object of options. Messages name the block, never what is in it.

    Raises:
        ConfigError: there is no such block, or it holds something else.
    """
    if block is None:
        return {}
    try:
        found: Any = Secret.load(block)
    except ValueError:
        raise ConfigError(f"--credentials-block: no Secret block {block[:80]!r}; create it in Prefect") from None
    held = found.get()
    try:
        return TypeAdapter(dict[str, str]).validate_python(json.loads(held) if isinstance(held, str) else held)
    except (ValueError, ValidationError):
        raise ConfigError(
            f"--credentials-block: the Secret block {block[:80]!r} is no JSON object of text values, such as "
            '{"access_key_id": "...", "secret_access_key": "..."}'
        ) from None
