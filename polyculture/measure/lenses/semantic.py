"""The semantic lenses: documents whose embeddings have a cosine of tau or more are neighbours."""

from polyculture.measure.lenses.lens import EmbeddingLens

AT_80 = EmbeddingLens(0.80)
AT_90 = EmbeddingLens(0.90)
AT_95 = EmbeddingLens(0.95)
