"""The semantic lenses: documents whose embeddings have a cosine of tau or more are neighbours."""

from polyculture.measure.lenses.lens import EmbeddingLens, List

_NOWHERE: dict[List, str] = {
    "truth of the canary": "its made-up words mean nothing to an encoder",
    "largest species": "neighbourhoods are counted around probes, and none is known whole",
}
_ONE: dict[List, str] = {"comparison of top-ups": "one cosine is enough to compare ways on"}

AT_80 = EmbeddingLens(0.80, left_out=_NOWHERE | _ONE)
AT_90 = EmbeddingLens(0.90, left_out=_NOWHERE)
AT_95 = EmbeddingLens(0.95, left_out=_NOWHERE | _ONE)
