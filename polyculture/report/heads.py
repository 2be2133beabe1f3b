"""Long heads that many documents share, such as licences, in sentences."""

from polyculture.report.words import count, listing, percent
from schemas.dedupe_config import Action
from schemas.manifest import Manifest
from schemas.removals import SharedHead

SHOWN_WORDS_CHARACTERS = 60


def head_lines(manifest: Manifest, most: int = 10) -> list[str]:
    """A sentence for each head that deduplication found, those that most documents left for first."""
    heads = manifest.removals.heads if manifest.removals is not None else ()
    near = manifest.config.dedupe.near
    lines = [f"{_found(head)}{_effect(head, near.without_heads)}" for head in heads[:most]]
    if near.action is not Action.REMOVE:
        lines = [f"{_found(head)}." for head in heads[:most]]
    if lines and len(heads) > most:
        lines[-1] += f" The report names {len(heads) - most} more such heads."
    return lines


def _found(head: SharedHead) -> str:
    quoted = f" (“{head.text[:SHOWN_WORDS_CHARACTERS].rstrip()}…”)" if head.text else ""
    return (
        f"{count(head.documents)} documents of {listing(list(head.sources))} begin with the same {count(head.words)} "
        f"words{quoted}, {percent(head.share)} of their text"
    )


def _effect(head: SharedHead, is_without: bool) -> str:
    if is_without:
        return f"; compared without it, {count(head.removed)} were removed for another."
    if not head.removed:
        return "; none was removed for another."
    alone = f", {count(head.removed_for_it)} of these for the head alone" if head.removed_for_it else ""
    advice = ": `dedupe: {near: {without_heads: true}}` compares without it" if head.removed_for_it else ""
    return f"; compared with it, {count(head.removed)} were removed for another{alone}{advice}."
