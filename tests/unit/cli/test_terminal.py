"""Text of others in the terminal: shown as it stands, whatever it holds, and by no other way than `cli.terminal`."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cli.main import main
from cli.terminal import Grid, Terminal, print_json
from polyculture.errors import ConfigError
from polyculture.storage.messages import brief, escaped
from tests.support.processes import ROOT

CLI = sorted((ROOT / "cli").glob("*.py"))
# as it is -> as it is shown
TEXTS = {
    "[id]": "[id]",
    "]": "]",
    "[/b]": "[/b]",
    "[red]x[/red]": "[red]x[/red]",
    "\\[b]": "\\[b]",
    'it\'s "quoted"': 'it\'s "quoted"',
    "two  words": "two  words",
    "line\nbreak\r\n": "line\\nbreak\\r\\n",
    "tab\t": "tab\\t",
    "größe 数据 🙂": "größe 数据 🙂",
    "\u202egnp.exe": "\\u202egnp.exe",
    "-dash": "-dash",
    ":smile:": ":smile:",
    "\x1b[31mred": "\\x1b[31mred",
    "\x00\x07": "\\x00\\x07",
    "not UTF-8 \udcff": "not UTF-8 \\udcff",
    "n" * 5000: "n" * 5000,
    "100 % {0} {x} %s": "100 % {0} {x} %s",
    "http://example.org/?a=1&b=<c>": "http://example.org/?a=1&b=<c>",
}


@pytest.mark.parametrize(("text", "shown"), TEXTS.items(), ids=range(len(TEXTS)))
def test_a_text_is_shown_as_it_stands_in_lines_cells_headers_and_labels(
    text: str, shown: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "12000")
    Terminal().line(f"before {text} after")
    Terminal().line("before ", (text, "bold"), " after", style="red")
    Terminal(is_error=True).line(f"before {text} after")
    grid = Grid("name", f"before {text} after")
    grid.row(f"before {text} after", (f"before {text} after", "bold"), style="dim")
    grid.show()
    Terminal().labelled([(f"before {text} after", (f"before {text} after", "bold"))])
    captured = capsys.readouterr()
    assert captured.out.count(f"before {shown} after") == 7
    assert captured.err == f"before {shown} after\n"
    assert len(captured.out.splitlines()) == 5


@given(st.text(max_size=60))
@example("[bold]:warning:[/]")
@settings(max_examples=200)
def test_a_line_is_one_line_of_printable_characters_and_loses_nothing(text: str) -> None:
    shown = escaped(text)
    assert shown.isprintable()
    assert text.isprintable() == (shown == text)
    if "\\" not in text and shown.isascii():
        assert shown.encode().decode("unicode_escape") == text


def test_what_is_cut_says_so() -> None:
    assert brief("abc", 3) == "abc"
    assert brief("abcd", 3) == "abc…"
    assert brief("\n" * 3, 4) == "\\n\\n…"


def test_a_table_is_never_cut_to_the_width_of_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    grid = Grid("name", "number")
    grid.row("x" * 3000, "1,234,567")
    grid.show()
    assert capsys.readouterr().out.splitlines()[1] == f"{'x' * 3000}  1,234,567"


def test_every_problem_of_an_error_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConfigError("first [/b]\nnot second", "second :smile:")

    monkeypatch.setattr("cli.application.app", fail)
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "error: first [/b]\\nnot second\nsecond :smile:\n"


@pytest.mark.parametrize("form", ["line", "json"])
def test_an_output_that_lacks_a_character_gets_it_escaped(form: str) -> None:
    call = {"line": "Terminal().line('größe 数据')", "json": "print_json({'a': 'größe 数据'})"}[form]
    code = f"from cli.terminal import *\naccept_every_character()\n{call}"
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=False, cwd=ROOT, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert b"\\u6570\\u636e" in done.stdout


def test_json_is_the_text_itself_where_the_output_can_hold_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"run": "a\n[b]"})
    assert capsys.readouterr().out == '{"run": "a\\n[b]"}\n'


@pytest.mark.parametrize("module", CLI, ids=lambda path: path.name)
def test_no_command_prints_but_through_the_terminal(module: Path) -> None:
    assert problems_of(module.read_text(), module.name) == []


def problems_of(code: str, name: str) -> list[str]:
    """Calls of a module beside `cli.terminal`: imports of rich, calls of print and of the streams, echo with data."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            if any(each.split(".")[0] == "rich" for each in names) and name not in {"terminal.py", "progress.py"}:
                found.append(f"line {node.lineno}: imports rich")
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in {"print", "typer.secho", "sys.stdout.write", "sys.stderr.write"} and name != "terminal.py":
                found.append(f"line {node.lineno}: {called}")
            if called == "typer.echo" and name != "application.py":
                found.append(f"line {node.lineno}: {called}")
            if called.split(".")[-1] in {"Console", "TextColumn"} and not turns_markup_off(node):
                found.append(f"line {node.lineno}: {called} with markup")
            if called.split(".")[-1] == "from_markup":
                found.append(f"line {node.lineno}: {called}")
    return found


def turns_markup_off(call: ast.Call) -> bool:
    return any(word.arg == "markup" and ast.unparse(word.value) == "False" for word in call.keywords)


@pytest.mark.parametrize(
    "code",
    [
        "from rich.console import Console\nConsole(markup=False).print(f'{x}')",
        "import rich\nrich.print(x)",
        "print(f'{x}')",
        "typer.echo(x)",
        "sys.stdout.write(x)",
    ],
)
def test_a_command_that_prints_otherwise_is_found(code: str) -> None:
    assert problems_of(code, "new_command.py")


def test_a_console_that_reads_markup_is_found_in_the_terminal_itself() -> None:
    assert problems_of("Console(highlight=False)", "terminal.py")
    assert not problems_of("Console(markup=False)", "terminal.py")
