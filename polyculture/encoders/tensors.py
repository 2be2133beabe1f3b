"""Arrays in safetensors files, read and written without the package: eight bytes, a JSON header, the numbers."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyculture.errors import ConfigError

_TYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I64": "<i8"}
_NAMES = {np.dtype(code): name for name, code in _TYPES.items()}
METADATA = "__metadata__"


def read_tensors(raw: bytes, name: str) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """The arrays and the metadata of a safetensors file (https://github.com/huggingface/safetensors#format).

    Args:
        raw: the file's content.
        name: its name in errors.

    Returns:
        Read-only arrays on the given bytes, by name, and the strings of the metadata.

    Raises:
        ConfigError: this is no safetensors file, or one of a type other than F16, F32, F64 and I64.
    """
    try:
        length = int.from_bytes(raw[:8], "little")
        header = json.loads(raw[8 : 8 + length])
        metadata = {str(key): str(value) for key, value in header.pop(METADATA, {}).items()}
        body = memoryview(raw)[8 + length :]
        return {key: _array(body, entry) for key, entry in header.items()}, metadata
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{name} is not a safetensors file that can be read: {error}") from error


def _array(body: memoryview, entry: dict[str, Any]) -> NDArray[Any]:
    start, end = entry["data_offsets"]
    if not 0 <= start <= end <= len(body):
        raise ValueError(f"an array lies at {start}..{end} of {len(body)} bytes")
    return np.frombuffer(body[start:end], dtype=_TYPES[entry["dtype"]]).reshape(entry["shape"])


def write_tensors(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> bytes:
    """The content of a safetensors file; the same bytes for the same arrays, whatever their order."""
    header: dict[str, Any] = {METADATA: dict(sorted(metadata.items()))}
    parts: list[bytes] = []
    position = 0
    for name, array in sorted(arrays.items()):
        part = np.ascontiguousarray(array).tobytes()
        place = [position, position + len(part)]
        header[name] = {"dtype": _NAMES[array.dtype], "shape": list(array.shape), "data_offsets": place}
        parts.append(part)
        position += len(part)
    raw = json.dumps(header, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    return len(raw).to_bytes(8, "little") + raw + b"".join(parts)
