"""The signals, by the name of the folder that their attributes lie in."""

from collections.abc import Mapping

from polyculture.signals import embedding, lexical, template
from polyculture.signals.signal import Signal

SIGNALS: Mapping[str, Signal] = {
    "embedding": embedding.SIGNAL,
    "lexical": lexical.SIGNAL,
    "template": template.SIGNAL,
}
