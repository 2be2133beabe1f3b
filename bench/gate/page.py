"""The page of the calibration: tables in Markdown and a drawing of the curves."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench.gate.run import CORPORA
from bench.gate.score import (
    EXTRAS,
    GO,
    NO_GO,
    SHIPPED_BOUNDS,
    SWEEPS,
    TARGETS,
    UNKNOWN,
    Bounds,
    Errors,
    Kept,
    Ruling,
    errors_from,
    errors_of,
    judged,
    plateau,
    read_worlds,
    roc,
    scores,
    sweep,
    without,
)

HEAD = Path(__file__).with_name("page.md")
ERROR_HEAD = ("false GO", "UNKNOWN on narrow", "false NO-GO", "UNKNOWN on healthy")


def write_page(out: Path, page: Path, bounds: Bounds = SHIPPED_BOUNDS) -> bool:
    """Write the page, and the drawing beside it under `images/`; whether every target is met."""
    worlds = read_worlds(out)
    if not worlds:
        sys.exit(f"{out} holds no worlds; make some with --worlds")
    rulings = [judged(world, bounds) for world in worlds]
    errors, image = errors_from(worlds, rulings), page.parent / "images" / f"{page.stem}.svg"
    parts = [
        HEAD.read_text(encoding="utf-8").rstrip(),
        "## Totals", _totals(worlds, rulings, errors), _corpora(out),
        *_counted(worlds, rulings),
        "## By family", _families(worlds, rulings),
        "## Rules", _alone(worlds, rulings, bounds), _curves(worlds, bounds, image),
        "## Bounds", _sweeps(worlds, bounds),
        "## Further causes", _extras(worlds, bounds, errors),
        "## What stays wrong", _wrong(worlds, rulings),
    ]  # fmt: skip
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return errors.meets_targets


def _corpora(out: Path) -> str:
    """The corpora that the worlds are made of."""
    names = sorted(path.name.split(".")[0].partition("__")[2] for path in (out / CORPORA).iterdir())
    return f"Text of {len(names)} corpora: {', '.join(names)}."


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown; columns after the first are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)])


def _totals(worlds: Sequence[Kept], rulings: Sequence[Ruling], errors: Errors) -> str:
    count = {truth: sum(world.truth == truth for world in worlds) for truth in ("narrow", "healthy", "borderline")}
    said = ", ".join(f"{number:,} {truth}" for truth, number in count.items())
    cpu = sum(float(world.facts["seconds"]) for world in worlds) / len(worlds)
    rows = [
        ("false GO of narrow worlds", errors.false_go, f"{TARGETS['false GO']:.0%}"),
        ("UNKNOWN on narrow worlds", errors.unknown_narrow, ""),
        ("false NO-GO of healthy worlds", errors.false_no_go, f"{TARGETS['false NO-GO']:.0%}"),
        ("UNKNOWN on healthy worlds", errors.unknown, f"{TARGETS['UNKNOWN']:.0%}"),
    ]
    shown = ((what, f"{r.hits} of {r.worlds}", f"{r.value:.1%}", f"{r.low:.1%} to {r.high:.1%}", r.corpora, target)
             for what, r, target in rows)  # fmt: skip
    head = ("", "worlds", "rate", "interval", "corpora", "at most")
    agree = sum(ruling.verdict == world.facts["verdict"] for world, ruling in zip(worlds, rulings, strict=True))
    words = f"{len(worlds):,} worlds: {said}; {cpu:.1f} s of CPU each. {agree:,} verdicts are as the run gave them."
    return f"{words}\n\n{table(head, shown)}"


def _counted(worlds: Sequence[Kept], rulings: Sequence[Ruling]) -> list[str]:
    """The errors without healthy worlds whose real text says much again; nothing if none was counted."""
    if all(world.said is None for world in worlds):
        return []
    pairs = [(w, r) for w, r in zip(worlds, rulings, strict=True) if w.truth == "healthy"]
    kept = [(world, ruling) for world, ruling in pairs if world.is_healthy_by_count]
    errors = errors_from([world for world, _ in kept], [ruling for _, ruling in kept])
    rows = [("false NO-GO", errors.false_no_go), ("UNKNOWN", errors.unknown)]
    shown = ((what, f"{r.hits} of {r.worlds}", f"{r.value:.1%}", f"{r.low:.1%} to {r.high:.1%}", r.corpora)
             for what, r in rows)  # fmt: skip
    words = (
        f"Of the {len(pairs):,} healthy worlds {len(pairs) - len(kept):,} are made of real text that says 3 % or more "
        "of itself again: documents half of whose runs of five words stand in each of four others, counted over all "
        "texts (`bench/gate/said.py`). Without these:"
    )
    return ["## Healthy by a count over the texts", words, table(("", "worlds", "rate", "interval", "corpora"), shown)]


def _families(worlds: Sequence[Kept], rulings: Sequence[Ruling]) -> str:
    parts = []
    for truth in ("narrow", "healthy", "borderline"):
        by: dict[str, list[str]] = {}
        for world, ruling in zip(worlds, rulings, strict=True):
            if world.truth == truth:
                by.setdefault(world.family, []).append(ruling.verdict)
        rows = (
            (name, len(found), *(found.count(v) or "" for v in (GO, UNKNOWN, NO_GO)))
            for name, found in sorted(by.items())
        )
        parts.append(table((truth, "worlds", GO, UNKNOWN, NO_GO), rows))
    return "\n\n".join(parts)


def _alone(worlds: Sequence[Kept], rulings: Sequence[Ruling], bounds: Bounds) -> str:
    """Worlds that each rule alone decides, and the errors without it."""
    names = sorted({name for ruling in rulings for name in ruling.closing})
    rows = []
    for name in names:
        only = [w.truth for w, r in zip(worlds, rulings, strict=True) if set(r.closing) == {name}]
        every = [w.truth for w, r in zip(worlds, rulings, strict=True) if name in r.closing]
        rows.append((name, *(f"{found.count(truth)}" for truth in ("narrow", "healthy") for found in (every, only))))
    first = table(("rule", "closes narrow", "alone", "closes healthy", "alone"), rows)
    left = ((f"without {name}", *_cells(errors_of(worlds, other))) for name, other in without(bounds).items())
    return f"{first}\n\n{table(('', *ERROR_HEAD), left)}"


def _cells(errors: Errors) -> Iterator[str]:
    for found in (errors.false_go, errors.unknown_narrow, errors.false_no_go, errors.unknown):
        yield f"{found.hits} ({found.value:.1%})"


def _sweeps(worlds: Sequence[Kept], bounds: Bounds) -> str:
    rows, plateaus = [], []
    for name, values in SWEEPS.items():
        here = float(getattr(bounds, name))
        found = sweep(worlds, bounds, name, sorted({*values, here}))
        rows += [(f"{name} {value:g}{' (in force)' if value == here else ''}", *_cells(e)) for value, e in found]
        low, high = plateau(found, here)
        plateaus.append((name, f"{here:g}", f"{low:g} to {high:g}"))
    return f"{table(('bound', 'in force', 'no count changes'), plateaus)}\n\n{table(('', *ERROR_HEAD), rows)}"


def _extras(worlds: Sequence[Kept], bounds: Bounds, errors: Errors) -> str:
    rows = [("none", *_cells(errors))]
    rows += [(str(extra), *_cells(errors_of(worlds, replace(bounds, extras=(extra,))))) for extra in EXTRAS]
    return table(("narrow too if", *ERROR_HEAD), rows)


def _curves(worlds: Sequence[Kept], bounds: Bounds, image: Path) -> str:
    """The area under the curve of each rule, and a drawing."""
    by: dict[str, dict[str, list[float]]] = {}
    for world in worlds:
        for name, value in scores(world, bounds).items():
            by.setdefault(name, {"narrow": [], "healthy": [], "borderline": []})[world.truth].append(value)
    curves = {n: roc(v["narrow"], v["healthy"]) for n, v in by.items() if v["narrow"] and v["healthy"]}
    ordered = dict(sorted(curves.items(), key=lambda pair: -pair[1][2]))
    _draw(ordered, image)
    rows = ((name, f"{area:.3f}") for name, (_, _, area) in ordered.items())
    return f"![Curves of the rules](images/{image.name})\n\n{table(('number', 'area'), rows)}"


def _draw(curves: dict[str, tuple[list[float], list[float], float]], image: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
    for name, (x, y, area) in curves.items():
        axes.step(x, y, where="post", label=f"{name} ({area:.3f})", linewidth=1.4)
    axes.set_xlabel("healthy worlds that it would close")
    axes.set_ylabel("narrow worlds that it would close")
    axes.legend(loc="lower right", fontsize=8)
    image.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(image, metadata={"Date": None})
    plt.close(figure)


def _wrong(worlds: Sequence[Kept], rulings: Sequence[Ruling]) -> str:
    rows = []
    for world, ruling in zip(worlds, rulings, strict=True):
        wrong = {"narrow": (GO, UNKNOWN), "healthy": (NO_GO, UNKNOWN)}.get(world.truth, ())
        if ruling.verdict in wrong:
            closing = ", ".join(f"{name} {says}" for name, says in ruling.closing.items())
            where = f"{world.facts['form']}, {world.facts['base']}"
            said = "" if world.said is None else f"{world.said:.1%}"
            rows.append((world.name, world.truth, f"{world.narrow:.1%}", said, ruling.verdict, where, closing))
    rows.sort(key=lambda row: (row[1], row[4], row[0]))
    return table(("world", "truly", "narrow", "said again", "verdict", "how", "closed by"), rows)
