"""Embeddings: what the semantic lenses compare."""

from polyculture.encoders.embeddings import Embedder, make_encoder
from polyculture.signals.signal import Measure, Signal, SignalSettings
from schemas.documents import EMBEDDING


def _settings(settings: SignalSettings) -> object | None:
    """Name, revision and background of the encoder, and its section of the configuration."""
    semantic = settings.measure.semantic
    if semantic is None:
        return None
    encoder = make_encoder(semantic, settings.encoder_path)
    chosen = semantic.model_dump(mode="json", exclude={"path", "probes"})
    return [chosen, encoder.name, encoder.revision, encoder.background]


def _open(settings: SignalSettings) -> Measure:
    semantic = settings.measure.semantic
    if semantic is None:
        raise ValueError("the configuration asks for no embeddings")
    return Embedder(make_encoder(semantic, settings.encoder_path))


SIGNAL = Signal(
    version=2,
    reads=("text", "language", "identified", "told", EMBEDDING, "file", "position"),
    settings=_settings,
    open=_open,
)
