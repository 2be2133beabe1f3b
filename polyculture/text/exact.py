"""Keys of exact duplicates: equal canonical text, and equal layout where case and indentation count."""

import hashlib
from collections.abc import Sequence

import pyarrow as pa

_MAY_HAVE_LAYOUT = ("\t", "  ", "```", "~~~")
KEY_BYTES = 16


def exact_keys(texts: Sequence[str], canonical: Sequence[str]) -> list[bytes]:
    """BLAKE2b-128 of canonical text and layout: collisions cannot be made.

    Args:
        texts: n texts as they are stored.
        canonical: (n,) their canonical texts.
    """
    layouts = _layouts(texts)
    return [
        hashlib.blake2b(text.encode() + layout, digest_size=KEY_BYTES).digest()
        for text, layout in zip(canonical, layouts, strict=True)
    ]


def _layouts(texts: Sequence[str]) -> list[bytes]:
    """Bytes that tell texts of equal canonical text apart: empty, but where case and indentation count."""
    if not any(sign in text for text in texts for sign in _MAY_HAVE_LAYOUT):
        return [b""] * len(texts)
    from polyculture.text.layout import layouts  # noqa: PLC0415 -- kernels, which few batches of prose need
    from polyculture.text.texts import as_texts  # noqa: PLC0415 -- likewise

    found = layouts(as_texts(pa.array(texts, pa.large_string())))
    return [b"\xff" + value.tobytes() if value else b"" for value in found]  # no text holds the byte FF
