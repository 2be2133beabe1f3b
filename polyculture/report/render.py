"""Render manifest, profile and verdict into the files of `report/`."""

import json
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from polyculture.mixture.plan.worth_words import repeat_table, worth_sentences
from polyculture.report import words
from polyculture.report.abridge import abridge
from polyculture.report.canvas import KIND_COLOURS, Drawing
from polyculture.report.containment import containment_heatmap, drawn_sources, listed_pairs, strongest_pairs
from polyculture.report.explain import explain
from polyculture.report.flow import Flow, filtered_parts, flow_figure, flow_of, total_flow
from polyculture.report.heads import head_lines
from polyculture.report.lexical import lexical_table
from polyculture.report.scale_curve import scale_curve
from polyculture.report.summary import phase_rows
from polyculture.report.tables import profile_tables
from polyculture.report.top_up import mixture_rows, sentences, source_rows_of
from polyculture.report.vectors import vector_section
from polyculture.report.views import (
    columns_of,
    heaviest_species,
    quarantine_totals,
    scope_rows,
    sort_checks,
    troubled_files,
)
from schemas.manifest import Manifest
from schemas.measures import Stage
from schemas.profile import Profile
from schemas.top_up import TopUp
from schemas.verdict import Verdict


def render_report(
    manifest: Manifest, profile: Profile, verdict: Verdict, top_up: TopUp | None = None
) -> dict[str, bytes]:
    """Write the report of one run. Pure: the same arguments give the same bytes.

    Args:
        manifest: manifest of the run.
        profile: its numbers.
        verdict: verdict of the gate on them.
        top_up: account of what a top-up adds to its parent; None for any other run.

    Returns:
        File name -> bytes: `index.html` (one page, no script, nothing loaded from elsewhere), its figures as `*.svg`,
        `report.json` (verdict, plan, conservation, profile; sorted keys; `left_out` says what of many sources or files
        it leaves out, and where that is), and the profile's long tables, whole, as `*.parquet`.

    Raises:
        ValueError: a number is not finite.
    """
    sources = [account.name for account in manifest.conservation]
    flows = _flows(manifest)
    curves = _curves(profile, Stage(verdict.judged), sources)
    flow, heatmap = flow_figure(flows), containment_heatmap(profile, Stage.INPUT, sources)
    kinds = {account.name: account.kind for account in manifest.conservation}
    vectors = vector_section(profile, Stage(verdict.judged), kinds)
    troubled, more_files = troubled_files(manifest)
    page = _environment().from_string(_template()).render(
        manifest=manifest,
        phases=phase_rows(manifest.plan) if manifest.plan else [],
        worth=worth_sentences(profile.worth) if profile.worth else [],
        repeats=repeat_table(profile.worth) if profile.worth else [],
        profile=profile,
        verdict=verdict,
        judged=Stage(verdict.judged),
        reasons=explain(manifest, profile, verdict),
        checks=sort_checks(verdict),
        rows=scope_rows(manifest, profile, Stage(verdict.judged)),
        columns=columns_of(profile, Stage(verdict.judged)),
        curves=curves,
        flows=flows,
        flow=flow,
        filtered=filtered_parts(manifest.conservation),
        head_lines=head_lines(manifest),
        heatmap=heatmap,
        drawn=drawn_sources(profile, Stage.INPUT, sources),
        vectors=vectors,
        heaviest=heaviest_species(profile, Stage(verdict.judged)),
        pairs=listed_pairs(profile, Stage.INPUT),
        lexical=lexical_table(manifest, profile, Stage(verdict.judged)),
        strongest=strongest_pairs(profile, Stage.INPUT),
        troubled=troubled,
        more_files=more_files,
        quarantined=quarantine_totals(manifest),
        top_up=top_up,
        top_up_tables=[source_rows_of(top_up), mixture_rows(top_up)] if top_up else [],
        top_up_sentences=sentences(top_up) if top_up else [],
        kind_colours={kind.value: colour for kind, colour in KIND_COLOURS.items()},
    )  # fmt: skip
    drawings = [curve for _, curve in curves] + [flow] + ([heatmap] if heatmap else [])
    drawings += [figure for _, figure in vectors.figures] if vectors else []
    return {
        "index.html": page.encode(),
        "report.json": _canonical_json(manifest, profile, verdict, top_up),
        **profile_tables(profile),
        **{f"{drawing.name}.svg": drawing.svg.encode() for drawing in drawings},
    }


def _flows(manifest: Manifest) -> list[Flow]:
    """The total, then the sources, those that kept least first."""
    flows = [flow_of(account) for account in manifest.conservation]
    flows.sort(key=lambda flow: (flow.kept / flow.read if flow.read else -1.0, flow.name))
    return [total_flow(flows), *flows]


def _curves(profile: Profile, judged: Stage, sources: list[str]) -> list[tuple[Stage, Drawing]]:
    """The scale curve of the judged stage, then that of the input, as far as they were measured."""
    stages = [judged] if judged is Stage.INPUT else [judged, Stage.INPUT]
    drawn = [(stage, scale_curve(profile, stage, sources, f"scale_curve_{stage.value}")) for stage in stages]
    return [(stage, drawing) for stage, drawing in drawn if drawing]


def _template() -> str:
    return files(__package__).joinpath("template.html.j2").read_text(encoding="utf-8")


def _environment() -> Environment:
    """Autoescape on, missing names refused, and every string that is printed made visible first."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_finalize
    )
    environment.filters.update(
        count=words.count,
        compact=words.compact,
        fraction=words.fraction,
        quantity=words.quantity,
        capital=words.capital,
        interval=words.interval,
        percent=words.percent,
        factor=words.factor,
        listing=words.listing,
        figure=_figure,
        effective=words.effective,
    )
    return environment


def _finalize(value: object) -> object:
    return words.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _figure(drawing: Drawing) -> Markup:
    """The SVG as markup: it was drawn here, and its texts were escaped by its writer."""
    return Markup(drawing.svg)  # noqa: S704  # see above


def _canonical_json(manifest: Manifest, profile: Profile, verdict: Verdict, top_up: TopUp | None) -> bytes:
    shown = abridge(profile, manifest.conservation, Stage(verdict.judged))
    whole = {
        "format": "polyculture-report-1",
        "verdict": verdict.model_dump(mode="json"),
        "plan": manifest.plan.model_dump(mode="json") if manifest.plan else None,
        "conservation": [account.model_dump(mode="json") for account in shown.conservation],
        "profile": shown.profile.model_dump(mode="json"),
        "left_out": shown.left_out,
        **({"top_up": top_up.model_dump(mode="json")} if top_up else {}),
    }
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), allow_nan=False).encode() + b"\n"
