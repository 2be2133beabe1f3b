"""The shape of a signal: numbers per document that depend on the document alone, with a version of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from schemas.measure_config import MeasureConfig


@dataclass(frozen=True, slots=True)
class SignalSettings:
    """The part of a configuration that signals depend on.

    Attributes:
        measure: what is measured, and how.
        encoder_path: folder or background of the encoder, if the configuration names one.
    """

    measure: MeasureConfig
    encoder_path: Path | None = None


class Measure(Protocol):
    """A signal that is ready to be worked out: whatever it loads is loaded."""

    @property
    def schema(self) -> pa.Schema:
        """Columns of the attributes."""
        ...

    def __call__(self, rows: pa.RecordBatch) -> list[pa.Array]:
        """Work out the columns.

        Args:
            rows: documents, with the columns that the signal reads.

        Returns:
            One array for each column of the schema, a value for each document; a value depends on its own row alone.
        """
        ...


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal.

    Attributes:
        version: counts up where its values change and no source file does.
        reads: columns of a partition that it looks at.
        settings: what of the settings its values depend on, as JSON; None where the configuration does not ask for it.
        open: makes it ready, in the process that works it out.
    """

    version: int
    reads: tuple[str, ...]
    settings: Callable[[SignalSettings], object | None]
    open: Callable[[SignalSettings], Measure]


def always(settings: SignalSettings) -> object:
    """The settings of a signal that every configuration asks for, and that has none."""
    del settings
    return {}
