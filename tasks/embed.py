"""Embed every document, if the configuration asks for the semantic lens."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from polyculture.compute.local import Local
from polyculture.encoders.embeddings import embed_partition
from polyculture.job import Job
from tasks.progress import Stopwatch, log, report
from tasks.store import all_partitions, documents_path, embeddings_path


@task(cache_policy=NO_CACHE)
def embed(job: Job, workers: int) -> None:
    """Write the embeddings of every partition."""
    config = job.config.measure.semantic
    if config is None:
        return
    watch = Stopwatch()
    partitions = [partition for _, partition in all_partitions(job)]
    calls = [(documents_path(job, p), embeddings_path(job, p), config, job.encoder_path) for p in partitions]
    documents = done = 0
    with Local(workers) as executor:
        for count in executor.run(embed_partition, calls):
            documents += count
            done += 1
            report("embeddings", done, len(calls))
    log(f"{documents:,} documents embedded, {watch.seconds:.1f} s")
