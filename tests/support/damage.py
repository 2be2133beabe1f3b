"""What can happen to the shards of a finished run."""

import shutil
from pathlib import Path

DAMAGES = ("edit", "truncate", "delete", "swap", "add")


def damage_shards(name: str, run: Path) -> None:
    """Do it to the first files of `shards/`: shards, or what lies beside them."""
    first, second = sorted((run / "shards").iterdir())[-2:]
    if name == "edit":
        data = bytearray(first.read_bytes())
        data[len(data) // 2] ^= 1
        first.write_bytes(data)
    elif name == "truncate":
        first.write_bytes(first.read_bytes()[:-8])
    elif name == "delete":
        first.unlink()
    elif name == "swap":
        one, other = first.read_bytes(), second.read_bytes()
        first.write_bytes(other)
        second.write_bytes(one)
    else:
        shutil.copy(first, run / "shards" / "train-99999-of-00001.arrow")
