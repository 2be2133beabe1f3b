"""What a takedown changes in the accounts of a run."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from polyculture.corpus.filtered import SHOWN_ENTRIES
from polyculture.filters.entries import Exclusions
from polyculture.filters.match import EXCLUDE
from polyculture.shards.dataset_files import Written
from polyculture.shards.listing import group_of
from schemas.manifest import HeldOutSource, SourceAccount, TakedownAccount
from schemas.removals import RemovalSummary


@dataclass(slots=True)
class Taken:
    """What was taken out of some shards: by source, documents with their tokens, and rows with theirs."""

    documents: dict[str, dict[str, int]] = field(default_factory=dict)
    rows: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)

    def add(self, rows: pa.Table) -> None:
        """Count rows."""
        columns = rows.select(["document_id", "source", "tokens"]).to_pydict()
        for name, source, tokens in zip(*columns.values(), strict=True):
            self.documents.setdefault(source, {})[name] = tokens
            self.rows[source] += 1
            self.tokens[source] += tokens


def account_takedown(
    parent: tuple[str, TakedownAccount | None],
    exclusions: Exclusions,
    matched: set[str],
    trained: Taken,
    held: Taken,
) -> TakedownAccount:
    """What was taken down, in numbers.

    Args:
        parent: digest of the manifest of the run before, and what had been taken out of that already.
        exclusions: what was asked for.
        matched: entries that named something.
        trained: what was taken out of the training shards.
        held: what was taken out of those held out.
    """
    unmatched = sorted(exclusions.entries - matched)
    parent_sha256, before = parent
    rows = trained.rows + Counter(before.trained_rows if before else {})
    return TakedownAccount(
        parent_sha256=parent_sha256,
        lists=list(exclusions.lists),
        entries=len(exclusions.entries),
        unmatched=len(unmatched),
        examples=unmatched[:SHOWN_ENTRIES],
        documents=sum(len(found) for part in (trained, held) for found in part.documents.values()),
        rows=trained.rows.total() + held.rows.total(),
        trained_rows=dict(sorted(rows.items())),
        trained_tokens=trained.tokens.total() + (before.trained_tokens if before else 0),
        rewritten=[],
    )


def less_held(source: HeldOutSource, held: Taken) -> HeldOutSource:
    """A source's part of the validation split without what was taken down."""
    documents = held.documents.get(source.name, {})
    return source.model_copy(
        update={"documents": source.documents - len(documents), "tokens": source.tokens - sum(documents.values())}
    )


def less_written(account: SourceAccount, trained: Taken, held: Taken) -> SourceAccount:
    """A source's account without what was taken down, which is now filtered."""
    documents, others = (part.documents.get(account.name, {}) for part in (trained, held))
    if not documents and not others:
        return account
    rows, tokens = trained.rows[account.name], sum(documents.values())
    filtered = Counter(account.filtered)
    filtered[EXCLUDE] += len(documents) + len(others)
    return account.model_copy(
        update={
            "filtered": dict(sorted(filtered.items())),
            "kept": account.kept - len(documents),
            "unselected": account.unselected - len(others),
            "repeated": account.repeated - (rows - len(documents)),
            "written": account.written - rows,
            "read_tokens": account.read_tokens - tokens - sum(others.values()),
            "kept_tokens": account.kept_tokens - tokens,
            "unselected_tokens": account.unselected_tokens - sum(others.values()),
            "written_tokens": account.written_tokens - trained.tokens[account.name],
        }
    )


def without_texts(removals: RemovalSummary | None) -> RemovalSummary | None:
    """What deduplication removed, without the passages that its largest clusters quote."""
    if removals is None:
        return None
    clusters = [cluster.model_copy(update={"examples": ("", "")}) for cluster in removals.largest_clusters]
    return removals.model_copy(update={"largest_clusters": tuple(clusters)})


def placed_again(written: Sequence[Written]) -> list[Written]:
    """Shards with their places in the order of their group, which are earlier now than those before them lost rows."""
    placed, ends = [], Counter[str]()
    for digest, shard in written:
        group = group_of(shard.path) or ""
        first = ends[group]
        ends[group] += shard.rows
        placed.append((digest, shard.model_copy(update={"first_position": first, "last_position": ends[group]})))
    return placed
