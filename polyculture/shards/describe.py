"""Descriptions of a run for people and programs that know nothing of it: dataset card and Croissant metadata."""

from pathlib import Path

from polyculture.shards.card import CARD_FILE, WorthSaid, render_card
from polyculture.shards.croissant import CROISSANT_FILE, render_croissant
from polyculture.shards.facts import count_facts
from polyculture.storage.files import file_digest, write_text
from schemas.accounts import FileDigest
from schemas.manifest import Manifest

DESCRIPTION_FILES = (CARD_FILE, CROISSANT_FILE)


def write_descriptions(manifest: Manifest, root: Path, worth: WorthSaid | None = None) -> list[FileDigest]:
    """Write README.md and croissant.json; reads the small columns of all shards once.

    Args:
        manifest: the manifest as it will be, but for the digests of these two files.
        root: the run directory.
        worth: what repeats leave of the tokens' worth, if it is known.

    Returns:
        The manifest's entries for them.
    """
    facts = count_facts(root, manifest.files)
    write_text(root / CARD_FILE, render_card(manifest, facts, worth))
    write_text(root / CROISSANT_FILE, render_croissant(manifest, facts))
    return [file_digest(root / name, root) for name in DESCRIPTION_FILES]
