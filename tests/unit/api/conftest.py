from pathlib import Path

import pytest

from tests.support.make_run import small_run


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a small finished run; tests only read it."""
    return small_run(tmp_path_factory.mktemp("face"), "face")
