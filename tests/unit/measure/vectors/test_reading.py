"""What the semantic lens read of a corpus: nothing that a record says of itself, and no likeness of the judged."""

import random
import string
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from polyculture.compute.in_process import InProcess
from polyculture.corpus.corpus import Corpus
from polyculture.corpus.ingest import ingest_partition, partition_files
from polyculture.encoders.embeddings import Embeddings, make_encoder
from polyculture.encoders.encoder import EncodingStatus
from polyculture.measure.probes.probes import StageCopies
from polyculture.measure.vectors.reading import unfit_languages
from polyculture.measure.vectors.semantic_rows import SemanticMeasured, SemanticSettings, measure_embeddings
from polyculture.signals.attributes import write_attributes
from polyculture.signals.signal import SignalSettings
from polyculture.sources.files import find_inputs
from polyculture.storage.files import map_arrow_file, write_arrow_file
from polyculture.storage.hashing import id_hash
from schemas.documents import Kind
from schemas.ledger import Unread
from schemas.measure_config import MeasureConfig, SemanticConfig
from schemas.measures import Lens
from schemas.source_config import LimitsConfig, SourceConfig
from tests.support.corpora import write_jsonl_gz
from tests.support.topics import varied_texts

SETTINGS = SignalSettings(MeasureConfig(semantic=SemanticConfig()))


@dataclass(frozen=True)
class Read:
    """A corpus that was ingested and embedded, and the embeddings' attributes in the order of the files."""

    corpus: Corpus
    embeddings: Embeddings
    attributes: list[pa.Table] = field(default_factory=list)


def read(folder: Path, sources: dict[str, list[str]], languages: dict[str, str] | None = None) -> Read:
    """Ingest and embed sources; records of some claim a language."""
    folder.mkdir(exist_ok=True)
    index, paths, attributes, partition, row = [], [], [], [], []
    for number, (name, texts) in enumerate(sorted(sources.items())):
        claim = {"language": languages[name]} if languages and name in languages else {}
        write_jsonl_gz(folder / f"{name}.jsonl.gz", texts, **claim)
        source = SourceConfig(name=name, kind=Kind.WEB, paths=(f"{name}.jsonl.gz",))
        (part,) = partition_files(source, find_inputs(source, folder).files)
        _, (documents, _) = ingest_partition(part, LimitsConfig(), None, folder, 0)
        paths.append(folder / f"{name}.embedding.arrow")
        write_attributes(documents, {"embedding": paths[-1]}, SETTINGS)
        table = map_arrow_file(documents)
        order = pa.array(np.argsort(table["position"].to_numpy()))
        attributes.append(map_arrow_file(paths[-1]).take(order))
        write_arrow_file(paths[-1].with_suffix(".sorted"), attributes[-1])
        paths[-1] = paths[-1].with_suffix(".sorted")
        ids = table["document_id"].take(order).to_pylist()
        index.append(
            pa.table(
                {
                    "document_id": pa.array(ids, pa.large_string()),
                    "source": pa.array([number] * len(ids), pa.uint16()),
                    "tokens": table["tokens"].take(order).combine_chunks(),
                    "id_hash": pa.array([id_hash(name) for name in ids], pa.uint64()),
                }
            )
        )
        partition += [number] * len(ids)
        row += range(len(ids))
    corpus = Corpus(pa.concat_tables(index), (), tuple(sorted(sources)), (Kind.WEB,) * len(sources))
    encoder = make_encoder(SemanticConfig(), None)
    return Read(corpus, Embeddings(paths, np.array(partition), np.array(row), encoder), attributes)


def measured(found: Read, reference: tuple[str, ...] = ()) -> SemanticMeasured:
    stage = StageCopies("input", np.ones(len(found.corpus), np.int64))
    settings = SemanticSettings(probes=50, seed=1, trial_fraction=0.1, reference=reference)
    return measure_embeddings(found.corpus, found.embeddings, [stage], settings, InProcess())


def noise(count: int, seed: int, letters: str = string.ascii_lowercase) -> list[str]:
    generator = random.Random(seed)
    return [
        " ".join("".join(generator.choices(letters, k=generator.randint(2, 9))) for _ in range(100))
        for _ in range(count)
    ]


def test_falsified_languages_of_records_change_no_number(tmp_path: Path) -> None:
    sources = {"pages": varied_texts(60, 1), "samples": varied_texts(60, 2)}
    honest = read(tmp_path / "honest", sources)
    for claim in ("xx", "zh", "de", "code", ""):
        falsified = read(tmp_path / "falsified", sources, {"samples": claim})
        for one, other in zip(honest.attributes, falsified.attributes, strict=True):
            assert one.drop(["disagrees"]).equals(other.drop(["disagrees"]))
        used, claimed = measured(honest), measured(falsified)
        assert [table.to_pylist() for table in used.rows] == [table.to_pylist() for table in claimed.rows]
        assert used.encoder.languages_disagree == [0, 0]
        assert claimed.encoder.languages_disagree == [0, 60 if claim else 0]
        assert claimed.encoder.model_copy(update={"languages_disagree": [0, 0]}) == used.encoder


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (noise(60, 3), Unread.UNKNOWN_LANGUAGE),
        (["გამარჯობა, როგორ ხართ დღეს? ამინდი კარგია."] * 60, Unread.NOT_COVERED),
        ([f"{n} + {n} = {2 * n}" for n in range(60)], Unread.NO_LETTERS),
        ([f"x{n} = {n}; y{n} = {n * n}" for n in range(60)], Unread.UNFIT),
        (["Water boils early in the mountains. 由于没有人能就价格达成一致。" * 2] * 60, Unread.DISAGREE),
    ],
)
def test_a_source_that_cannot_be_read_is_in_no_population_and_said_to_be_unread(
    tmp_path: Path, texts: list[str], why: Unread
) -> None:
    found = read(tmp_path, {"healthy": varied_texts(60, 1), "strange": texts})
    result = measured(found)
    used, tokens = result.encoder, int(found.corpus.tokens[60:].sum())
    unread = used.unmeasured[1]
    assert unread >= 57  # of random letters the model is sometimes sure
    assert used.unmeasured[0] == used.unread_tokens[0] == 0
    assert used.reasons[why][1] >= 57
    assert sum(counts[1] for counts in used.reasons.values()) == unread
    assert sum(counts[1] for counts in used.unread_reasons.values()) == used.unread_tokens[1] >= 0.9 * tokens
    assert used.read_share[0] == 1
    assert used.read_share[1] == pytest.approx(1 - used.unread_tokens[1] / tokens)
    semantic = [p for p in result.populations if p.lens is Lens.SEMANTIC_90]
    assert [p.documents[1] for p in semantic] == [60 - unread]
    assert [p.tokens for p in semantic] == [[int(found.corpus.tokens[:60].sum()), tokens - used.unread_tokens[1]]]


def test_related_sources_cannot_make_their_language_unfit(tmp_path: Path) -> None:
    texts = varied_texts(3, 5) * 60
    found = read(tmp_path, {"vendor": texts, "copier": texts})
    assert unfit_languages(found.corpus, found.embeddings) == set()
    assert measured(found).encoder.unmeasured == [0, 0]


def test_a_language_that_the_background_says_nothing_of_is_checked_within_the_reference(tmp_path: Path) -> None:
    tables = [f"x{n} = {n}; y{n} = {n * n}" for n in range(200)]
    found = read(tmp_path, {"judged": tables[:20], "trusted": tables})
    assert (found.embeddings.reading == EncodingStatus.MEASURED).all()
    assert unfit_languages(found.corpus, found.embeddings) == {"symbols"}
    assert unfit_languages(found.corpus, found.embeddings, ("trusted",)) == {"symbols"}  # they do look alike
    bengali = ["আমি ভাত খাই এবং নদীর ধারে হাঁটি।"]
    assert unfit_languages(*_pair(read(tmp_path / "bn", {"judged": bengali}))) == {"bn"}


def _pair(found: Read) -> tuple[Corpus, Embeddings]:
    return found.corpus, found.embeddings


def test_a_document_that_is_too_long_weighs_what_was_read_of_it(tmp_path: Path) -> None:
    long = " ".join(varied_texts(6_000, 8))
    assert len(long) > 1_200_000
    found = read(tmp_path, {"long": [long], "short": varied_texts(40, 1)})
    result = measured(found)
    share, tokens = float(found.embeddings.read[0]), int(found.corpus.tokens[0])
    assert 0.6 < share < 1
    assert result.encoder.unmeasured == [0, 0]
    assert result.encoder.read_share == pytest.approx([share, 1], abs=1e-5)
    assert result.encoder.unread_reasons == {Unread.TOO_LONG: [result.encoder.unread_tokens[0], 0]}
    assert result.encoder.unread_tokens[0] == pytest.approx(tokens * (1 - share), abs=1)
    semantic = next(p for p in result.populations if p.lens is Lens.SEMANTIC_90)
    assert semantic.tokens[0] == tokens - result.encoder.unread_tokens[0]
