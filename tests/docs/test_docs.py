import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer.main

from docs.generate import FOLDER, PAGES
from polyculture.configuration import load_config
from tests.conftest import Ended

ROOT = Path(__file__).resolve().parents[2]
PAGES_OF_PROSE = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_what_the_models_say(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name](), "run `make docs`"


@pytest.mark.parametrize("page", PAGES_OF_PROSE, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert [target for target in targets if "://" not in target and not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES_OF_PROSE, ids=lambda path: path.name)
def test_yaml_examples_are_configurations(page: Path, tmp_path: Path) -> None:
    for number, example in enumerate(re.findall(r"```yaml\n(name:.*?)```", page.read_text(), re.DOTALL)):
        path = tmp_path / f"{number}.yaml"
        path.write_text(example)
        assert load_config(path).sources


def test_every_command_is_documented_and_every_documented_command_exists() -> None:
    from cli.application import app

    names = set(getattr(typer.main.get_command(app), "commands", ()))
    readme = (ROOT / "README.md").read_text()
    shown = set(re.findall(r"(?:`|^|\$ )polyculture ([a-z][a-z-]*)", readme, re.MULTILINE))
    assert shown == names


def test_every_command_has_help(here: Callable[..., Ended]) -> None:
    from cli.application import app

    def commands(group: object, *names: str) -> Iterator[tuple[str, ...]]:
        yield names
        for name, command in getattr(group, "commands", {}).items():
            yield from commands(command, *names, name)

    found = list(commands(typer.main.get_command(app)))
    assert {("run",), ("trial",), ("index", "merge")} <= set(found)
    for names in found:
        result = here(*names, "--help")
        assert result.returncode == 0
        assert " ".join(("Usage: polyculture", *names)) in result.stdout
