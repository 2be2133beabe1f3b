"""All shards of a run, group after group, and the files beside them."""

from collections.abc import Callable, Iterable
from pathlib import Path

from polyculture.shards.dataset_files import write_dataset_files
from polyculture.shards.group import Place, Written, remove_others, write_shards
from polyculture.shards.write import Origin
from schemas.accounts import FileDigest
from schemas.mixture_config import VALIDATION, ShardConfig


def write_dataset(
    groups: Iterable[tuple[str, Origin]], config: ShardConfig, place: Place, progress: Callable[[int], None]
) -> list[FileDigest]:
    """Write the shards that are not already whole, and delete what an earlier version of the run left.

    Args:
        groups: name and origin of each group, in the order that they are read in; `validation` is held out of training.
        config: sizes and form.
        place: where to, and who works.
        progress: called with the rows that are trained on and written.

    Returns:
        Digests of all files. One group is taken at a time, so that its order may be made just before.
    """
    written: list[Written] = []
    held: list[Written] = []
    before = 0
    for stem, origin in groups:

        def told(rows: int, of: int, before: int = before) -> None:
            del of
            progress(before + rows)

        if stem == VALIDATION:
            held += write_shards(origin, stem, config, place, lambda *_: None)
            continue
        found = write_shards(origin, stem, config, place, told)
        before += sum(statistics.rows for _, statistics in found)
        written += found
    files = [digest for digest, _ in written + held]
    files += write_dataset_files(written, held, config, place.directory.root)
    remove_others(place.directory, {Path(file.path).name for file in files})
    return files
