"""What the template lenses compare of a whole corpus."""

import numpy as np

from polyculture.corpus.corpus import Corpus
from polyculture.text.skeleton import TemplateKeys, template_keys
from polyculture.text.texts import map_texts

DOCUMENTS_AT_ONCE = 16_384


def corpus_template_keys(corpus: Corpus) -> TemplateKeys:
    """Keys of the skeletons of all documents, in the order of the index.

    Block by block: the pages of a block's texts are given back before the next, so that memory does not grow with the
    corpus. Cost as of `template_keys`.
    """
    partition, row = (corpus.column(name).astype(np.int64) for name in ("partition", "row"))
    whole, opening = np.zeros((len(corpus), 2), np.uint64), np.zeros((len(corpus), 2), np.uint64)
    for number, path in enumerate(corpus.partitions):
        mine = np.flatnonzero(partition == number)
        if not len(mine):
            continue
        texts = map_texts([path])
        for start in range(0, len(mine), DOCUMENTS_AT_ONCE):
            block = mine[start : start + DOCUMENTS_AT_ONCE]
            found = template_keys(texts[row[block]])
            whole[block], opening[block] = found.whole, found.opening
            texts.release()
    return TemplateKeys(whole, opening)
