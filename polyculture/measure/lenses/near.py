"""The near lens: documents whose shingle sets are similar enough are neighbours."""

from polyculture.measure.lenses.lens import Material, NeighbourIndex, NeighbourLens


def build(material: Material) -> NeighbourIndex:
    """Sign the groups of equal text."""
    from polyculture.measure.lenses.near_index import NearIndex  # noqa: PLC0415 -- kernels

    given = material.settings
    return NearIndex(material.shingles, given.threshold, given.signature_seed, given.threads)


LENS = NeighbourLens(build)
