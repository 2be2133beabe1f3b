"""What takedown lists and allowed licences took out, in numbers."""

from collections import Counter

from polyculture.corpus.corpus import Settled
from polyculture.filters.entries import Exclusions
from schemas.manifest import ExclusionAccount

SHOWN_ENTRIES = 20


def account_exclusions(exclusions: Exclusions, settled: Settled) -> ExclusionAccount | None:
    """Count what was kept out, and which entries named nothing; None if nothing was to be kept out.

    Args:
        exclusions: the lists and licences.
        settled: the corpus without them.
    """
    if not exclusions:
        return None
    unmatched = sorted(exclusions.entries - settled.matched)
    documents = Counter[str]()
    for (_, _, rule), count in settled.filtered.items():
        documents[rule] += count
    return ExclusionAccount(
        lists=list(exclusions.lists),
        entries=len(exclusions.entries),
        unmatched=len(unmatched),
        examples=unmatched[:SHOWN_ENTRIES],
        documents=dict(sorted(documents.items())),
    )
