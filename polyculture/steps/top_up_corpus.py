"""Files that the steps of a top-up leave for each other, and the joint corpus of parent and candidates."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polyculture.corpus.attributes import Attributes
from polyculture.corpus.corpus import Corpus, build_index, source_order
from polyculture.deduplication.removal import read_removal
from polyculture.encoders.embeddings import Embeddings
from polyculture.errors import PolycultureError
from polyculture.job import Job
from polyculture.measure.lenses.lenses import LENS_SIGNALS, build_indexes
from polyculture.measure.vectors.coverage import Points
from polyculture.steps.attributes import EMBEDDINGS, attribute_paths, open_attributes, open_embeddings
from polyculture.steps.deduplicate import shingle_corpus
from polyculture.steps.measure import open_material
from polyculture.steps.session import Session
from polyculture.storage.files import map_arrow_file
from polyculture.top_up.compare import Joint
from polyculture.top_up.job import TopUpJob
from polyculture.top_up.joint import JoinedMixtures, Ways, join_corpora
from polyculture.top_up.mixture_state import points_of
from polyculture.top_up.pool import Pool, make_pool

JOINT_SIGNALS = (EMBEDDINGS, *LENS_SIGNALS)  # what the joint corpus is compared by
Flags = NDArray[np.bool_]


def open_joint(
    session: Session, top_up: TopUpJob, pool: Pool, best: Flags, random: Flags
) -> tuple[Joint, JoinedMixtures]:
    """The joint corpus as it is compared, and what each mixture holds of it.

    Args:
        session: the top-up under way.
        top_up: parent and candidates.
        pool: m candidates.
        best: (m,) what is chosen.
        random: (m,) what a random choice takes.
    """
    job, both = top_up.job, session.of(top_up.joint)
    partitions = [partition for _, partition in both.workspace.partitions]
    paths = [job.workspace.documents_path(partition) for partition in partitions]
    names, kinds = source_order(top_up.joint.config)
    numbers = [number for number, _ in both.workspace.partitions]
    whole = Corpus(build_index(list(zip(numbers, paths, strict=True))).index, tuple(paths), names, kinds)
    named = [partition.name for partition in partitions], [p.name for _, p in job.workspace.partitions]
    joined = join_corpora(whole, top_up, Ways(pool.corpus, best, random, named))
    shingle_corpus(both, joined.corpus)
    attributes = Attributes.of(joined.corpus, attribute_paths(job.workspace, partitions))
    indexes = build_indexes(open_material(both, joined.corpus, attributes))
    embeddings = embeddings_of(job, attributes)
    reference = open_reference(job)
    return Joint(joined.corpus, indexes, embeddings, reference, pool.unfit, job.config, session.executor), joined


def open_pool(job: Job) -> tuple[Pool, Embeddings]:
    """The pool that may be chosen from, and the embeddings of all candidates that the parent does not hold."""
    corpus = job.workspace.open_corpus()
    embeddings = embeddings_of(job, open_attributes(job, corpus))
    return make_pool(corpus, read_removal(job.workspace.removal_path), embeddings, job.config), embeddings


def open_reference(job: Job) -> Points:
    """Points of the reference, those that the parent holds included; none without a reference."""
    corpus = job.workspace.open_corpus(settled_path(job))
    numbers = [corpus.sources.index(name) for name in job.config.reference]
    embeddings = embeddings_of(job, open_attributes(job, corpus))
    return points_of(corpus, embeddings, np.flatnonzero(np.isin(corpus.source, numbers)))


def trained_on(top_up: TopUpJob) -> Flags:
    """Flags of the rows of the parent's shards that are trained on, as `parent_embeddings` has them."""
    paths = top_up.reading.workspace.document_paths
    return top_up.parent.is_trained_on([name for path in paths for name in map_arrow_file(path)["file"].to_pylist()])


def parent_embeddings(top_up: TopUpJob) -> Embeddings:
    """Embeddings of all rows of the parent's shards."""
    workspace = top_up.reading.workspace
    paths = attribute_paths(workspace, [partition for _, partition in workspace.partitions])
    sizes = [len(map_arrow_file(path)) for path in workspace.document_paths]
    partition, row = np.repeat(np.arange(len(sizes)), sizes), np.concatenate([np.arange(size) for size in sizes])
    return embeddings_of(top_up.job, Attributes(paths, partition, row))


def embeddings_of(job: Job, attributes: Attributes) -> Embeddings:
    """Embeddings among attributes.

    Raises:
        PolycultureError: the configuration asks for none.
    """
    embeddings = open_embeddings(job, attributes)
    if embeddings is None:
        raise PolycultureError("a top-up needs measure.semantic")
    return embeddings


def spread(pool: Pool, chosen: Flags) -> NDArray[np.int64]:
    """(candidates,) how often each is written, from what of the pool was chosen."""
    copies = np.zeros(len(pool.corpus), np.int64)
    copies[pool.rows[chosen]] = 1
    return copies


def parent_index_path(job: Job) -> Path:
    """Index of the documents that the parent holds."""
    return job.workspace.folder / "parent_index"


def settled_path(job: Job) -> Path:
    """Index of the candidates before those left that the parent holds."""
    return job.workspace.folder / "settled.arrow"


def lacking_path(job: Job) -> Path:
    """Tokens that the budget lacks."""
    return job.workspace.folder / "lacking"
