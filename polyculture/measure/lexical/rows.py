"""The lexical part of the ledger: blocks of every source, kind and the union, and of the human text beside them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import xxhash
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus
from polyculture.measure.lexical.blocks import DocumentSizes, LexicalSample, lexical_sample
from polyculture.measure.lexical.measures import BlockSize, LexicalCounts
from polyculture.measure.probes.probes import StageCopies
from polyculture.storage.hashing import Stream, seeded_hash
from polyculture.text.language import UNKNOWN
from schemas.documents import Kind
from schemas.lexical import LEXICAL_SCHEMA

HUMAN = "human"
_LOOKED_AT = 1000  # documents of a source whose languages are counted


@dataclass(frozen=True, slots=True)
class _Scope:
    """Sources that are measured together."""

    name: str
    kind: Kind | None
    sources: list[int]
    is_pool: bool = False


def measure_lexical(
    corpus: Corpus,
    words: NDArray[np.int64],
    stages: Sequence[StageCopies],
    seed: int,
    size: BlockSize | None = None,
) -> pa.Table:
    """Count blocks of every source, kind and the union, and of human text in the language of each synthetic source.

    Args:
        corpus: n documents.
        words: (n,) words of each: the signal `lexical`.
        stages: how often each document occurs at each stage; one that occurs is looked at once.
        seed: of the choice of documents.
        size: of a block.

    Returns:
        LEXICAL rows. About a third of a second for a scope and stage, however large, beside a sort of the documents.
    """
    size = size or BlockSize()
    order = np.argsort(seeded_hash(corpus.id_hash, seed, Stream.LEXICAL), kind="stable")
    languages = [main_language(corpus, order[corpus.source[order] == n]) for n in range(len(corpus.sources))]
    known: dict[int, LexicalSample] = {}  # a scope often holds the same documents as another one
    rows: list[dict[str, object]] = []
    for stage in stages:
        for scope in _scopes(corpus, stage, languages):
            chosen = order[(stage.copies[order] > 0) & np.isin(corpus.source[order], scope.sources)]
            key = xxhash.xxh3_128_intdigest(chosen.tobytes())
            if key not in known:
                sizes = DocumentSizes(words[chosen], corpus.text_bytes[chosen])
                known[key] = lexical_sample(chosen, lambda at: _texts(corpus, at), sizes, size)
            spoken = {languages[number] for number in scope.sources}
            language = spoken.pop() if len(spoken) == 1 else None
            rows.extend(_rows(stage.name, scope, language, known[key], size))
    return pa.Table.from_pylist(rows, LEXICAL_SCHEMA)


def main_language(corpus: Corpus, rows: NDArray[np.int64]) -> str | None:
    """The language of more than half of the first 1,000 documents; None if there is none, or it is unknown.

    It is that of the texts: what records say of themselves decides nothing.
    """
    found = corpus.take(rows[:_LOOKED_AT], ["identified"])["identified"].to_pylist()
    language, documents = Counter(found).most_common(1)[0] if found else (None, 0)
    return None if language == UNKNOWN or 2 * documents <= len(found) else language


def _texts(corpus: Corpus, rows: NDArray[np.int64]) -> pa.Array:
    return corpus.take(rows, ["text"])["text"].cast(pa.large_string()).combine_chunks()


def _scopes(corpus: Corpus, stage: StageCopies, languages: Sequence[str | None]) -> Iterator[_Scope]:
    counts = np.bincount(corpus.source, stage.copies > 0, len(corpus.sources))
    present = [number for number, documents in enumerate(counts) if documents]
    yield _Scope("all", None, present)
    for kind in Kind:
        if members := [number for number in present if corpus.kinds[number] is kind]:
            yield _Scope(kind.value, kind, members)
    for number in present:
        yield _Scope(corpus.sources[number], corpus.kinds[number], [number])
    is_synthetic = [kind is Kind.SYNTHETIC for kind in corpus.kinds]
    for language in sorted({languages[n] or "" for n in present if is_synthetic[n]} - {""}):
        if human := [n for n in present if not is_synthetic[n] and languages[n] == language]:
            yield _Scope(HUMAN, None, human, is_pool=True)


def _rows(
    stage: str, scope: _Scope, language: str | None, sample: LexicalSample, size: BlockSize
) -> Iterator[dict[str, object]]:
    for number, counts in enumerate(sample.blocks or [LexicalCounts()]):
        yield {
            "stage": stage,
            "scope": scope.name,
            "kind": scope.kind.value if scope.kind else None,
            "language": language,
            "is_pool": scope.is_pool,
            "block": number,
            "block_words": size.words,
            "block_bytes": size.text_bytes,
            "block_documents": size.documents,
            **asdict(counts),
        }
