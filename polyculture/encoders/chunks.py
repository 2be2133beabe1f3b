"""Cut a text into the chunks that an encoder reads one after the other."""

from collections.abc import Iterator

CHUNK_CHARACTERS = 4_000
MOST_CHARACTERS = 1_000_000  # of a document that are read
_LOOK_BACK = 500  # characters in which white space is looked for


def chunks_of(text: str, size: int = CHUNK_CHARACTERS, most: int = MOST_CHARACTERS) -> list[str]:
    """Consecutive chunks of a text, cut at a space where there is one; of a very long text, evenly spaced ones.

    The space at a cut belongs to neither side: the tokenizer puts one before whatever it reads, so that the chunks
    have the tokens of the whole.

    Args:
        text: a document.
        size: most characters of a chunk.
        most: characters from which on only some chunks are read.

    Returns:
        At most `most / size` chunks, and one for each `size - 500` characters at most. No chunk is empty.
    """
    if len(text) <= most:
        return [text[start:end] for start, end in _cuts(text, size) if end > start]
    number = max(1, most // size)
    starts = [place * (len(text) - size) // max(1, number - 1) for place in range(number)]
    return [text[_after_space(text, start) : start + size] for start in starts]


def share_read(text: str, size: int = CHUNK_CHARACTERS, most: int = MOST_CHARACTERS) -> float:
    """Share of a text's characters that its chunks hold, 0..1; the spaces at cuts count."""
    if len(text) <= most:
        return 1.0 if text else 0.0
    return sum(map(len, chunks_of(text, size, most))) / len(text)


def _cuts(text: str, size: int) -> Iterator[tuple[int, int]]:
    """Start and end of each chunk."""
    start = 0
    while len(text) - start > size:
        end = start + size
        space = text.rfind(" ", end - min(_LOOK_BACK, size // 2), end + 1)
        if space < 0:
            space = text.rfind("\n", end - min(_LOOK_BACK, size // 2), end + 1)
        if space < 0:
            yield start, end
            start = end
        else:
            yield start, space
            start = space + 1
    yield start, len(text)


def _after_space(text: str, start: int) -> int:
    """Where the first word after a place begins; the place itself if no space is near."""
    space = text.find(" ", start, start + _LOOK_BACK) if start else -1
    return space + 1 if space >= 0 else start
