from pathlib import Path

import pytest

from polyculture.errors import ConfigError
from polyculture.storage.run_directory import RunDirectory


@pytest.mark.parametrize("url", ["s3://bucket/run", "gs://bucket/run", "file:///tmp/run"])
def test_a_url_is_no_local_folder(url: str, tmp_path: Path) -> None:
    for path in (Path(url), tmp_path / url):
        with pytest.raises(ConfigError, match=r"not a local folder.*polyculture publish"):
            RunDirectory(path)


def test_a_folder_with_a_colon_is_one(tmp_path: Path) -> None:
    for name in ("c:", "2026-11-25 08:18", "a:b", "Notes:"):
        assert RunDirectory(tmp_path / name).root.name == name
