"""The seed lens: synthetic documents made from the same prompt or seed document are one species."""

from polyculture.measure.lenses.lens import Material, PartitionLens, SpeciesIndex


def build(material: Material) -> SpeciesIndex:
    """Number the seeds; a document that names none is not measured."""
    from polyculture.measure.probes.species import seed_species  # noqa: PLC0415 -- polars

    found = seed_species(material.column("seed"), material.is_synthetic)
    return SpeciesIndex(found.species, found.is_measured)


LENS = PartitionLens(
    build,
    left_out={
        "largest species": "answers per prompt are bound instead, by source",
        "comparison of top-ups": "the shards of older runs name no seeds",
    },
)
