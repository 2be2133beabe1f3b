"""Keys of skeletons: what the template lenses compare."""

import numpy as np
import pyarrow as pa

from polyculture.signals.signal import Measure, Signal, SignalSettings, always

_KEY = pa.list_(pa.uint64(), 2)
SCHEMA = pa.schema([pa.field("whole", _KEY, nullable=False), pa.field("opening", _KEY, nullable=False)])


class TemplateKeysOf:
    """128-bit keys of a text's skeleton, and of how it begins: 32 bytes a document."""

    schema = SCHEMA

    def __call__(self, rows: pa.RecordBatch) -> list[pa.Array]:
        """Work out the keys; cost as of `polyculture.text.skeleton.template_keys`."""
        from polyculture.text.skeleton import template_keys  # noqa: PLC0415 -- kernels, which a list of signals needs not

        found = template_keys(rows["text"])
        return [
            pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(keys).ravel()), type=_KEY)
            for keys in (found.whole, found.opening)
        ]


def _open(settings: SignalSettings) -> Measure:
    del settings
    return TemplateKeysOf()


SIGNAL = Signal(version=2, reads=("text",), settings=always, open=_open)
