"""Work out what signals say of every document, once, beside its partition."""

from collections.abc import Sequence
from pathlib import Path

from polyculture.compute.executor import in_groups, run_worthwhile
from polyculture.corpus.attributes import Attributes
from polyculture.corpus.corpus import Corpus
from polyculture.corpus.ingest import Partition
from polyculture.corpus.workspace import Workspace
from polyculture.encoders.embeddings import Embeddings, make_encoder
from polyculture.identity import step_key
from polyculture.job import Job
from polyculture.measure.lenses.lenses import LENS_SIGNALS
from polyculture.signals.attributes import write_all_attributes
from polyculture.signals.signal import SignalSettings
from polyculture.signals.signals import SIGNALS
from polyculture.steps.canary import canary_attribute_paths
from polyculture.steps.session import Session
from polyculture.storage.hashing import json_sha256

EMBEDDINGS = "embedding"
LEAST_BYTES = 16 * 2**20  # of partitions in a call


def add_attributes(session: Session, signals: Sequence[str] = tuple(SIGNALS)) -> None:
    """Write the attributes of every partition that are not written already for the same text, signal and settings.

    Args:
        session: the job under way.
        signals: names of SIGNALS; what the configuration does not ask for is left out.
    """
    watch, job, workspace = session.timed(), session.job, session.workspace
    wanted = {name: SIGNALS[name].settings(_settings(job)) for name in signals}
    keys = {name: step_key(f"signal {name}", settings) for name, settings in wanted.items() if settings is not None}
    calls, records = [], []
    for _, partition in workspace.partitions:
        mine = {name: json_sha256([key, job.partition_key(partition)]) for name, key in keys.items()}
        step = {name: f"signal-{name}-{partition.name}" for name in mine}
        missing = [name for name in mine if job.directory.finished_record(step[name], mine[name]) is None]
        if missing:
            outs = {name: workspace.attributes_path(name, partition) for name in missing}
            calls.append((workspace.documents_path(partition), outs))
            records.append([(step[name], mine[name], out) for name, out in outs.items()])
    sizes = [documents.stat().st_size for documents, _ in calls]
    groups, is_small = in_groups(sizes, LEAST_BYTES), sum(sizes) < LEAST_BYTES
    grouped = [(calls[first:end], _settings(job)) for first, end in groups]
    done = documents_read = 0
    for (first, end), counts in zip(
        groups, run_worthwhile(session.executor, write_all_attributes, grouped, is_small=is_small), strict=True
    ):
        for count, written in zip(counts, records[first:end], strict=True):
            for name, key, out in written:
                job.directory.commit_step(name, key, [out], {"documents": count})
            documents_read += count
        done += end - first
        session.host.report("attributes", done, len(calls))
    watch.log(f"{', '.join(keys)} of {documents_read:,} documents")


def open_attributes(job: Job, corpus: Corpus) -> Attributes:
    """Attributes of a job's corpus."""
    return Attributes.of(
        corpus, attribute_paths(job.workspace, [partition for _, partition in job.workspace.partitions])
    )


def open_planted_attributes(job: Job, planted: Corpus) -> Attributes:
    """Attributes of a job's corpus with the canary in it: those that the canary has too."""
    workspace = job.workspace
    paths = attribute_paths(workspace, [partition for _, partition in workspace.partitions])
    joined = {}
    for name in LENS_SIGNALS:
        first, *others = canary_attribute_paths(workspace, name)
        joined[name] = [first, *paths[name], *others]
    return Attributes.of(planted, joined)


def attribute_paths(workspace: Workspace, partitions: Sequence[Partition]) -> dict[str, list[Path]]:
    """Files of each signal, in the order of the partitions."""
    return {name: [workspace.attributes_path(name, partition) for partition in partitions] for name in SIGNALS}


def open_embeddings(job: Job, attributes: Attributes) -> Embeddings | None:
    """Embeddings of all documents; None if the configuration asks for none."""
    semantic = job.config.measure.semantic
    if semantic is None:
        return None
    encoder = make_encoder(semantic, job.encoder_path)
    return Embeddings(attributes.paths[EMBEDDINGS], attributes.partition, attributes.row, encoder)


def _settings(job: Job) -> SignalSettings:
    return SignalSettings(job.config.measure, job.encoder_path)
