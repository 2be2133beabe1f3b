"""The ledger of a finished run, checked against the digests of its manifest before a byte of it is believed."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from polyculture.errors import ConfigError, PolycultureError
from polyculture.measure.ledger.ledger import HEADER_FILE, HEAVY_FILE, PROBES_FILE, Ledger, read_ledger
from polyculture.measure.vectors.vector_ledger import VECTOR_FILES
from polyculture.mixture.plan.supply import stage_of
from polyculture.storage.hashing import file_sha256
from polyculture.storage.run_directory import RunDirectory, foreign_verdict, is_intact, read_manifest, unlisted_file
from schemas.accounts import FileDigest
from schemas.manifest import Manifest


@dataclass(frozen=True, slots=True)
class RunLedger:
    """The evidence that mixtures are worked out from.

    Attributes:
        manifest: manifest of the run.
        manifest_sha256: digest of its bytes.
        files: those of the ledger.
        ledger: the ledger's part on the stage that mixtures are made from: `distinct`, of an audit `input`.
    """

    manifest: Manifest
    manifest_sha256: str
    files: tuple[FileDigest, ...]
    ledger: Ledger

    @property
    def own_rates(self) -> dict[str, float]:
        """Rates of the run's own mixture, after scaling and limits; 1 for every source of an audit."""
        if self.manifest.plan is None:
            return {source.name: 1.0 for source in self.manifest.config.sources}
        return {source.name: source.rate for source in self.manifest.plan.sources}


def read_run_ledger(root: Path) -> RunLedger:
    """Read manifest and ledger of a finished run.

    Raises:
        ConfigError: the folder is not a finished run.
        PolycultureError: a file is missing, damaged, or not the one that the manifest lists.
    """
    directory = RunDirectory(root)
    if not directory.manifest.is_file():
        raise ConfigError(f"{root} is not a finished run (it has no manifest.json); name the folder given to --out")
    try:
        manifest = read_manifest(directory)
        files = _ledger_files(directory, manifest)
        problem = foreign_verdict(directory)
        if problem is not None:
            raise ValueError(problem)
        ledger = read_ledger(directory.ledger)
    except (OSError, ValueError) as error:
        raise PolycultureError(
            f"{root}: damaged: {str(error).splitlines()[0]}; `polyculture verify {root}` says more"
        ) from error
    return RunLedger(manifest, file_sha256(directory.manifest), files, _at_stage(ledger))


def _at_stage(ledger: Ledger) -> Ledger:
    """The part that mixtures are made from: a third of the rows."""
    stage = stage_of(ledger)
    rows, heavy = (table.filter(pc.field("stage") == stage.value) for table in (ledger.rows, ledger.heavy))
    populations = [population for population in ledger.header.populations if population.stage is stage]
    header = ledger.header.model_copy(update={"populations": populations})
    return Ledger(header, rows, heavy, ledger.vectors)


def _ledger_files(directory: RunDirectory, manifest: Manifest) -> tuple[FileDigest, ...]:
    """The listed files of the ledger, each of which still has its digest; no other file lies there."""
    stranger = unlisted_file(directory, manifest, directory.ledger)
    if stranger is not None:
        raise ValueError(stranger)
    listed = {file.path: file for file in manifest.files}
    found = []
    optional = [n for n in VECTOR_FILES if (directory.ledger / n).relative_to(directory.root).as_posix() in listed]
    for name in (PROBES_FILE, HEAVY_FILE, HEADER_FILE, *optional):
        path = (directory.ledger / name).relative_to(directory.root).as_posix()
        if path not in listed or not is_intact(directory.root, listed[path]):
            raise ValueError(f"{path} is missing, or not the bytes that the manifest lists")
        found.append(listed[path])
    return tuple(found)
