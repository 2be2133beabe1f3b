"""The flow: what became of every record slot and token, by source."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from polyculture.report.canvas import INK, KIND_COLOURS, SOFT, Drawing, draw, quiet_axes
from polyculture.report.words import factor, label, short
from schemas.accounts import SourceAccount
from schemas.documents import Kind

# From what stays to what never was a document; also told apart in grey.
STEPS = {
    "kept": "#2f4858",
    "unselected": "#8fa9bb",
    "removed exact": "#efcf8f",
    "removed near": "#c9892b",
    "removed": "#dcab5c",
    "filtered": "#d7d9dc",
    "quarantined": "#7d2a50",
}
WIDTH, ROW, LEFT, RIGHT, TOP = 640, 34, 150, 112, 46


@dataclass(frozen=True, slots=True)
class Flow:
    """Flow of one source, or of all: slots by step, and tokens where they are known."""

    name: str
    kind: Kind | None
    read: int
    quarantined: int
    filtered: int
    removed: dict[str, int]
    unselected: int
    kept: int
    repeated: int
    written: int
    read_tokens: int
    removed_tokens: int
    unselected_tokens: int
    kept_tokens: int
    written_tokens: int
    imbalance: int

    @property
    def measured(self) -> int:
        """Documents that the measures of the input are about; `read_tokens` are theirs."""
        return self.read - self.quarantined - self.filtered

    def documents(self) -> dict[str, int]:
        """Slots by step."""
        removed = {f"removed {lens}": number for lens, number in sorted(self.removed.items())}
        steps = {"kept": self.kept, "unselected": self.unselected, **removed}
        return {**steps, "filtered": self.filtered, "quarantined": self.quarantined}

    def tokens(self) -> dict[str, int]:
        """Tokens by step, without what was quarantined or filtered; removal does not tell its lenses apart."""
        return {"kept": self.kept_tokens, "unselected": self.unselected_tokens, "removed": self.removed_tokens}


@dataclass(frozen=True, slots=True)
class FilteredPart:
    """Documents or slots of one source that left for one reason.

    Attributes:
        tokens: of the documents, each of which has a row in `filtered/`; None for slots that a reader passed over.
    """

    source: str
    reason: str
    number: int
    tokens: int | None


def filtered_parts(accounts: Iterable[SourceAccount]) -> list[FilteredPart]:
    """Everything that was filtered, by source and reason."""
    return [
        FilteredPart(account.name, reason, number, account.filtered_tokens.get(reason))
        for account in accounts
        for reason, number in account.filtered.items()
        if number
    ]


def flow_of(account: SourceAccount) -> Flow:
    """The flow of one source."""
    numbers = account.model_dump(include=set(Flow.__slots__) - {"quarantined", "filtered", "imbalance", "kind"})
    return Flow(
        **numbers,
        kind=account.kind,
        quarantined=sum(account.quarantined.values()),
        filtered=sum(account.filtered.values()),
        imbalance=account.imbalance(),
    )


def total_flow(flows: list[Flow]) -> Flow:
    """The flow of all sources together."""
    lenses = sorted({lens for flow in flows for lens in flow.removed})
    sums = {
        name: sum(getattr(flow, name) for flow in flows)
        for name in Flow.__slots__
        if name not in ("name", "kind", "removed")
    }
    removed = {lens: sum(flow.removed.get(lens, 0) for flow in flows) for lens in lenses}
    return Flow(name="all sources", kind=None, removed=removed, **sums)


def flow_figure(flows: list[Flow]) -> Drawing:
    """One stacked bar a source by share of what was read, with a thin bar of the tokens below it.

    Args:
        flows: the total first.
    """
    height = TOP + ROW * len(flows) + 26

    def paint(figure: Figure) -> None:
        bottom = 22 / height
        axes = figure.add_axes((LEFT / WIDTH, bottom, (WIDTH - LEFT - RIGHT) / WIDTH, ROW * len(flows) / height))
        axes.set_xlim(0, 1)
        axes.set_ylim(len(flows), 0)
        quiet_axes(axes)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])
        axes.set_yticks([])
        axes.tick_params(labelsize=11)
        for row, flow in enumerate(flows):
            _bar(axes, row + 0.14, 0.46, flow.documents())
            _bar(axes, row + 0.64, 0.15, flow.tokens())
            _texts(axes, row, flow)
        _legend(figure, flows, height)

    return draw("flow", "What became of the documents of each source, by share", (WIDTH, height), paint)


def _bar(axes: Axes, top: float, thickness: float, steps: dict[str, int]) -> None:
    whole = sum(steps.values())
    if not whole:
        return
    for (step, number), end in zip(steps.items(), accumulate(steps.values()), strict=True):
        if number:
            box = Rectangle(((end - number) / whole, top), number / whole, thickness)
            box.set(facecolor=STEPS.get(step, STEPS["removed"]), edgecolor="white", linewidth=0.5)
            axes.add_patch(box)


def _texts(axes: Axes, row: int, flow: Flow) -> None:
    across = axes.get_yaxis_transform()
    colour = KIND_COLOURS[flow.kind] if flow.kind else INK
    weight = "normal" if flow.kind else "bold"
    axes.text(
        -0.02, row + 0.42, label(flow.name, 20), transform=across, ha="right", va="center", fontsize=11.5, color=colour,
        fontweight=weight,
    )  # fmt: skip
    kept = f"kept {short(flow.kept / flow.read)}" if flow.read else "nothing read"
    axes.text(1.02, row + 0.38, kept, transform=axes.transData, va="center", fontsize=11.5, fontweight=weight)
    if flow.repeated and flow.kept:
        times = f"written x {factor(round(flow.written / flow.kept, 2))}"
        axes.text(1.02, row + 0.76, times, transform=axes.transData, va="center", fontsize=10, color=SOFT)


def _legend(figure: Figure, flows: list[Flow], height: int) -> None:
    """Draw a legend of the steps that occur, in the order of the bars."""
    total = flows[0]
    used = [step for step in STEPS if total.documents().get(step)]
    x = 8.0
    for step in used:
        figure.add_artist(
            Rectangle((x / WIDTH, 1 - 18 / height), 11 / WIDTH, 11 / height, facecolor=STEPS[step], linewidth=0)
        )
        figure.text((x + 16) / WIDTH, 1 - 16.5 / height, step, fontsize=11)
        x += 34 + 6.6 * len(step)
    note = "thick bar: documents; thin bar: tokens (without filtered and quarantined; all removals together)"
    figure.text(8 / WIDTH, 1 - 36 / height, note, fontsize=10.5, color=SOFT)
