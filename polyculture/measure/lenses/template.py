"""The template lenses: documents of one skeleton are one species, and documents whose skeletons begin alike."""

from functools import partial

from polyculture.measure.lenses.lens import Material, PartitionLens, SpeciesIndex


def build(column: str, material: Material) -> SpeciesIndex:
    """Number the keys of skeletons.

    Args:
        column: of the signal `template`: `whole` or `opening`.
        material: the documents.
    """
    from polyculture.measure.probes.species import species_numbers  # noqa: PLC0415 -- polars

    return SpeciesIndex.everywhere(species_numbers(material.attribute("template", column)))


WHOLE = PartitionLens(partial(build, "whole"), signals=("template",))
OPENING = PartitionLens(
    partial(build, "opening"),
    signals=("template",),
    left_out={"comparison of top-ups": "what is added changes openings as it changes templates"},
)
