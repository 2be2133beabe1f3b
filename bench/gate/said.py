"""The share of a world that others say too, counted over its texts, with none of the gate's lenses.

Worlds are called healthy by the origin of their text. Real text repeats itself too, and the count says how much: a
document is said again if four other documents each hold half of its different runs of five words. Brute force: no hash,
no embedding, no draw.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson
from scipy import sparse

from bench.gate.corpora import folder_corpora
from bench.gate.run import CORPORA, LEAST_GROUP
from bench.gate.worlds import World, Worlds

SAID = "said"
RUN_WORDS, HELD = 5, 0.5
_WORD = re.compile(r"\w+")
ROWS = 500  # documents that are compared with all at a time


def count_worlds(out: Path, names: Sequence[str], seed: int) -> None:
    """Count the worlds that are not counted yet, a file each."""
    worlds = Worlds(folder_corpora(out / CORPORA), seed)
    (out / SAID).mkdir(exist_ok=True)
    for name in names:
        path = out / SAID / f"{name}.json"
        if not path.is_file():
            path.write_bytes(orjson.dumps({"said": said_again(worlds.make(name))}))


def said_again(world: World) -> float:
    """Share of a world's characters, at the rates of its mixture, in documents that four others say.

    Exact copies, which leave, are counted once.
    """
    texts: dict[str, float] = {}
    for source in world.sources:
        for draft in source.documents:
            texts.setdefault(draft.text, source.rate)
    size = np.array([len(text) * rate for text, rate in texts.items()])
    return float(size[again(list(texts))].sum() / max(1.0, size.sum()))


def again(texts: Sequence[str]) -> np.ndarray:
    """(n,) whether at least four other texts each hold half of a text's different runs of five words."""
    runs: dict[tuple[str, ...], int] = {}
    rows, columns = [], []
    for number, text in enumerate(texts):
        found = _WORD.findall(text.casefold())
        mine = {tuple(found[at : at + RUN_WORDS]) for at in range(max(1, len(found) - RUN_WORDS + 1))}
        columns += [runs.setdefault(run, len(runs)) for run in mine]
        rows += [number] * len(mine)
    holds = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(texts), len(runs)))
    total, flipped = np.diff(holds.indptr), holds.T.tocsc()
    others = np.empty(len(texts), np.int64)
    for start in range(0, len(texts), ROWS):
        common = holds[start : start + ROWS] @ flipped
        common.data = (common.data >= HELD * np.repeat(total[start : start + ROWS], np.diff(common.indptr))).astype(
            np.float32
        )
        others[start : start + ROWS] = np.asarray(common.sum(axis=1)).ravel() - 1  # without itself
    found_again: np.ndarray = others >= LEAST_GROUP - 1
    return found_again
