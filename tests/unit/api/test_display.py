from polyculture.api.display import Panel, as_html, as_text

HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J\u202e"


def panel(**fields: object) -> Panel:
    return Panel(**({"title": "Run", "rows": [["source", "read"], ["a", "1,000"]]} | fields))  # type: ignore[arg-type]


def test_names_give_way_to_numbers() -> None:
    numbers = ["1,234,567,890"] * 4
    lines = as_text(panel(rows=[["source", *"abcd"], ["x" * 90, *numbers], ["y", *numbers]])).splitlines()
    assert [len(line) for line in lines[1:]] == [80, 80, 80]
    assert lines[2].count("1,234,567,890") == 4
    assert lines[2].startswith("xxx")
    assert "…" in lines[2]


def test_sentences_are_cut_at_80_columns() -> None:
    lines = as_text(panel(title="t" * 90, notes=["n" * 90, "short"], badge="GO")).splitlines()
    assert [len(line) for line in (lines[0], lines[-2], lines[-1])] == [80, 80, 5]


def test_texts_of_others_are_neither_markup_nor_control() -> None:
    hostile = panel(title=HOSTILE, rows=[[HOSTILE, "n"], [HOSTILE, HOSTILE]], notes=[HOSTILE], badge=HOSTILE)
    assert "<img" not in as_html(hostile)
    assert as_html(hostile).count("&lt;img") == 6
    assert as_text(hostile).replace("\n", "").isprintable()


def test_a_verdict_has_its_colour() -> None:
    assert "#1a7f37" in as_html(panel(badge="GO"))
    assert "#cf222e" in as_html(panel(badge="NO-GO"))
