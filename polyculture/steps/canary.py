"""Plant the canary: a source of known redundancy that is measured and never written."""

from pathlib import Path

from polyculture.canary.examine import PREFIX
from polyculture.canary.layout import NAME, PROBES, RECIPE
from polyculture.canary.plant import PARTS, Measured, PlantedCorpus, make_canary, plant
from polyculture.corpus.corpus import Corpus
from polyculture.corpus.workspace import Workspace
from polyculture.job import Job
from polyculture.measure.ledger.ledger import Ledger, write_ledger
from polyculture.measure.lenses.lenses import LENS_SIGNALS
from polyculture.signals.attributes import write_attributes
from polyculture.signals.signal import SignalSettings
from polyculture.steps.session import Session
from polyculture.storage.files import map_arrow_file, write_arrow_file
from schemas.canary import CanaryHeader
from schemas.documents import Kind


def write_canary(session: Session) -> None:
    """Write the canary's documents and read them, beside the corpus and not into it."""
    watch, folder, config = session.timed(), canary_folder(session.workspace), session.job.config
    canary = make_canary(folder, config.seed, config.dedupe.near.threshold)
    write_arrow_file(folder / "index.arrow", canary.index)
    settings = SignalSettings(config.measure, session.job.encoder_path)
    outs = [canary_attribute_paths(session.workspace, name) for name in LENS_SIGNALS]
    for documents, *paths in zip(canary.partitions, *outs, strict=True):
        write_attributes(documents, dict(zip(LENS_SIGNALS, paths, strict=True)), settings)
    watch.log(f"{len(canary):,} documents of the canary")


def canary_paths(workspace: Workspace) -> tuple[Path, ...]:
    """Partitions of the canary; none if none was written, as in a pilot."""
    folder = canary_folder(workspace)
    if not (folder / "index.arrow").is_file():
        return ()
    return tuple(folder / f"{NAME}-{part:05d}.arrow" for part in range(PARTS))


def canary_attribute_paths(workspace: Workspace, signal: str) -> list[Path]:
    """Files of the values that a signal has for each partition of the canary."""
    folder = canary_folder(workspace)
    return [folder / signal / f"{NAME}-{part:05d}.arrow" for part in range(PARTS)]


def open_planted(workspace: Workspace, corpus: Corpus) -> PlantedCorpus:
    """The corpus with the canary in it."""
    index = map_arrow_file(canary_folder(workspace) / "index.arrow")
    return plant(corpus, Corpus(index, canary_paths(workspace), (NAME,), (Kind.SYNTHETIC,)))


def write_canary_ledger(job: Job, measured: Measured, drawn_by: int) -> None:
    """Write the canary's counts into `ledger/`, apart from the others, and the seed that its probes were drawn by."""
    rows, heavy, populations = measured
    header = CanaryHeader(
        seed=job.config.seed,
        threshold=job.config.dedupe.near.threshold,
        probes_per_source=PROBES,
        sources=[NAME],
        kinds=[Kind.SYNTHETIC],
        populations=populations,
        identity_sha256=job.identity,
        recipe=RECIPE,
        drawn_by=drawn_by,
    )
    write_ledger(Ledger(header, rows, heavy), job.directory.ledger, PREFIX)


def canary_folder(workspace: Workspace) -> Path:
    """Where the canary's files lie."""
    return workspace.folder / "canary"
