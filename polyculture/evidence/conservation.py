"""The conservation table: what became of every record slot of every source."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus
from polyculture.corpus.filtered import Counts
from polyculture.deduplication.removal import REASONS, Removal
from polyculture.errors import PolycultureError
from polyculture.sources.side_files import join_left_out
from schemas.accounts import FileAccount, LeftOut, SourceAccount
from schemas.config import CurationConfig
from schemas.quarantined import QuarantineReason
from schemas.source_config import SourceConfig


def settle_filtered(files: Sequence[FileAccount], filtered: Counts) -> list[FileAccount]:
    """Move the documents that filters took out, by file name and reason, from documents to filtered."""
    settled = []
    for file in files:
        out = {reason: found for (name, reason), found in filtered.items() if name == file.name}
        documents = {reason: count for reason, (count, _) in out.items()}
        tokens = {reason: count for reason, (_, count) in out.items()}
        changes = {
            "documents": file.documents - sum(documents.values()),
            "filtered": dict(sorted({**file.filtered, **documents}.items())),
            "filtered_tokens": dict(sorted({**file.filtered_tokens, **tokens}.items())),
        }
        settled.append(file.model_copy(update=changes))
    return settled


def settle_conflicts(files: Sequence[FileAccount], conflicts: Mapping[str, int]) -> list[FileAccount]:
    """Move the documents that turned out to be id conflicts, by file name, from documents to quarantined."""
    settled = []
    for file in files:
        count = conflicts.get(file.name, 0)
        quarantined = dict(file.quarantined)
        if count:
            quarantined[QuarantineReason.ID_CONFLICT.value] = count
        settled.append(file.model_copy(update={"documents": file.documents - count, "quarantined": quarantined}))
    return settled


def conserve(  # noqa: PLR0913, PLR0917 -- one argument a kind of evidence
    config: CurationConfig,
    files: Mapping[str, Sequence[FileAccount]],
    corpus: Corpus,
    removal: Removal | None,
    copies: NDArray[np.int64],
    left_out: Mapping[str, Sequence[LeftOut]] | None = None,
) -> list[SourceAccount]:
    """Balance every source.

    Args:
        config: the sources.
        files: accounts of each source's files, by source name, conflicts settled.
        corpus: the documents.
        removal: decisions of deduplication; None if nothing was removed.
        copies: (documents,) times that each document is written.
        left_out: side files of each source, by source name; those in archives are in the accounts.

    Returns:
        An account per source, sorted by name.

    Raises:
        PolycultureError: a sum is off by one or more.
    """
    sources = {source.name: source for source in config.sources}
    accounts = []
    for name in corpus.sources:
        account = _account(sources[name], files[name], corpus, removal, copies)
        if account.imbalance():
            raise PolycultureError(
                f"source {name}: {account.imbalance()} record slots are unaccounted for; a defect, please report it"
            )
        inside = [left for file in files[name] for left in file.left_out]
        both = join_left_out([*(left_out or {}).get(name, ()), *inside])
        accounts.append(account.model_copy(update={"left_out": both}))
    return accounts


def _account(
    source: SourceConfig,
    files: Sequence[FileAccount],
    corpus: Corpus,
    removal: Removal | None,
    copies: NDArray[np.int64],
) -> SourceAccount:
    number = corpus.sources.index(source.name)
    mine = corpus.source == number
    tokens = corpus.tokens
    kept = mine & (copies > 0)
    gone = mine & ~removal.is_kept if removal is not None else np.zeros_like(mine)
    unselected = mine & ~gone & (copies == 0)
    reasons = (
        {} if removal is None else {r: int((gone & (removal.reason == code)).sum()) for code, r in REASONS.items()}
    )
    quarantined: Counter[str] = Counter()
    filtered: Counter[str] = Counter()
    filtered_tokens: Counter[str] = Counter()
    for file in files:
        quarantined.update(file.quarantined)
        filtered.update(file.filtered)
        filtered_tokens.update(file.filtered_tokens)
    return SourceAccount(
        name=source.name,
        kind=corpus.kinds[number],
        read=sum(file.slots for file in files),
        quarantined=dict(sorted(quarantined.items())),
        filtered=dict(sorted(filtered.items())),
        filtered_tokens=dict(sorted(filtered_tokens.items())),
        removed=reasons,
        unselected=int(unselected.sum()),
        kept=int(kept.sum()),
        repeated=int(copies[mine].sum()) - int(kept.sum()),
        written=int(copies[mine].sum()),
        read_tokens=int(tokens[mine].sum()),
        removed_tokens=int(tokens[gone].sum()),
        unselected_tokens=int(tokens[unselected].sum()),
        kept_tokens=int(tokens[kept].sum()),
        written_tokens=int((tokens * copies)[mine].sum()),
        quarantine_limit=source.quarantine_limit,
        largest_tokens=int(tokens[mine].max(initial=0)),
        files=sorted(files, key=lambda file: file.name),
    )
