"""Plant the canary: a source of known redundancy that is measured and never written."""

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from polyculture.canary.examine import PREFIX
from polyculture.canary.layout import NAME, PROBES, RECIPE
from polyculture.canary.plant import PARTS, Measured, PlantedCorpus, make_canary, plant
from polyculture.corpus.corpus import Corpus
from polyculture.job import Job
from polyculture.measure.ledger.ledger import Ledger, write_ledger
from polyculture.storage.files import map_arrow_file, write_arrow_file
from schemas.canary import CanaryHeader
from schemas.documents import Kind
from tasks.progress import Stopwatch, log


@task(cache_policy=NO_CACHE)
def write_canary(job: Job) -> None:
    """Write the canary's documents and read them, beside the corpus and not into it."""
    watch = Stopwatch()
    canary = make_canary(_folder(job), job.config.seed, job.config.dedupe.near.threshold)
    write_arrow_file(_folder(job) / "index.arrow", canary.index)
    log(f"{len(canary):,} documents of the canary, {watch.seconds:.1f} s")


def open_planted(job: Job, corpus: Corpus) -> PlantedCorpus:
    """The corpus with the canary in it."""
    folder = _folder(job)
    paths = tuple(folder / f"{NAME}-{part:05d}.arrow" for part in range(PARTS))
    return plant(corpus, Corpus(map_arrow_file(folder / "index.arrow"), paths, (NAME,), (Kind.SYNTHETIC,)))


def has_canary(job: Job) -> bool:
    """Whether one was written: a pilot has none."""
    return (_folder(job) / "index.arrow").is_file()


def write_canary_ledger(job: Job, measured: Measured) -> None:
    """Write the canary's counts into `ledger/`, apart from the others."""
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
    )
    write_ledger(Ledger(header, rows, heavy), job.directory.ledger, PREFIX)


def _folder(job: Job) -> Path:
    return job.directory.work / "canary"
