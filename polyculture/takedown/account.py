"""Changes of a takedown in the accounts of a run."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

from polyculture.corpus.filtered import SHOWN_ENTRIES
from polyculture.filters.entries import Exclusions
from polyculture.filters.lists import EXCLUDE
from polyculture.shards.dataset_files import Written
from polyculture.shards.listing import group_of
from polyculture.storage.messages import safe_detail
from schemas.accounts import SourceAccount
from schemas.filtered import FILTERED_SCHEMA
from schemas.manifest import HeldOutSource, TakedownAccount
from schemas.removals import RemovalSummary


class Gone(NamedTuple):
    """Tokens of a document that was taken down, and the entry that names it."""

    tokens: int
    detail: str


@dataclass(slots=True)
class Taken:
    """Documents taken out of some shards, by source and id, and rows with their tokens, by source."""

    documents: dict[str, dict[str, Gone]] = field(default_factory=dict)
    rows: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)

    def add(self, rows: pa.Table, details: Sequence[str]) -> None:
        """Count rows, each with the entry that names it."""
        columns = rows.select(["document_id", "source", "tokens"]).to_pydict()
        for name, source, tokens, detail in zip(*columns.values(), details, strict=True):
            self.documents.setdefault(source, {})[name] = Gone(tokens, detail)
            self.rows[source] += 1
            self.tokens[source] += tokens


def account_takedown(
    parent: tuple[str, TakedownAccount | None],
    exclusions: Exclusions,
    used: set[str],
    trained: Taken,
    held: Taken,
) -> TakedownAccount:
    """Numbers of what was taken down.

    Args:
        parent: digest of the manifest of the run before, and what had been taken out of that already.
        exclusions: what was asked for.
        used: entries that named something.
        trained: what was taken out of the training shards.
        held: what was taken out of those held out.
    """
    unmatched = sorted(exclusions.entries - used)
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
        update={"documents": source.documents - len(documents), "tokens": source.tokens - _tokens(documents)}
    )


def less_written(account: SourceAccount, trained: Taken, held: Taken) -> SourceAccount:
    """A source's account without what was taken down, which is now filtered."""
    documents, others = (part.documents.get(account.name, {}) for part in (trained, held))
    if not documents and not others:
        return account
    rows, tokens, other_tokens = trained.rows[account.name], _tokens(documents), _tokens(others)
    filtered, filtered_tokens = Counter(account.filtered), Counter(account.filtered_tokens)
    filtered[EXCLUDE] += len(documents) + len(others)
    filtered_tokens[EXCLUDE] += tokens + other_tokens
    return account.model_copy(
        update={
            "filtered": dict(sorted(filtered.items())),
            "filtered_tokens": dict(sorted(filtered_tokens.items())),
            "kept": account.kept - len(documents),
            "unselected": account.unselected - len(others),
            "repeated": account.repeated - (rows - len(documents)),
            "written": account.written - rows,
            "read_tokens": account.read_tokens - tokens - other_tokens,
            "kept_tokens": account.kept_tokens - tokens,
            "unselected_tokens": account.unselected_tokens - other_tokens,
            "written_tokens": account.written_tokens - trained.tokens[account.name],
        }
    )


def _tokens(documents: Mapping[str, Gone]) -> int:
    return sum(gone.tokens for gone in documents.values())


def taken_rows(source: str, parts: Iterable[Taken]) -> pa.Table:
    """Rows of `filtered/` for the documents of a source that were taken down."""
    gone = [one for part in parts for one in part.documents.get(source, {}).items()]
    columns = {
        "document_id": [name for name, _ in gone],
        "source": [source] * len(gone),
        "reason": [EXCLUDE] * len(gone),
        "detail": [safe_detail(one.detail) for _, one in gone],
        "text_tokens": [one.tokens for _, one in gone],
    }
    return pa.table(columns, FILTERED_SCHEMA)


def without_texts(removals: RemovalSummary | None) -> RemovalSummary | None:
    """Removals of deduplication, without the passages that its largest clusters and its heads quote."""
    if removals is None:
        return None
    clusters = [cluster.model_copy(update={"examples": ("", "")}) for cluster in removals.largest_clusters]
    heads = [head.model_copy(update={"text": ""}) for head in removals.heads]
    return removals.model_copy(update={"largest_clusters": tuple(clusters), "heads": tuple(heads)})


def placed_again(written: Sequence[Written]) -> list[Written]:
    """Shards with their places in the order of their group, which are earlier now than those before them lost rows."""
    placed, ends = [], Counter[str]()
    for digest, shard in written:
        group = group_of(shard.path) or ""
        first = ends[group]
        ends[group] += shard.rows
        placed.append((digest, shard.model_copy(update={"first_position": first, "last_position": ends[group]})))
    return placed
