"""The report is inert, deterministic, whole and small, and says the verdict first."""

import json
import math
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from polyculture.report.render import render_report
from polyculture.report.tables import SCHEMAS
from schemas.measures import Stage
from schemas.profile import Estimate
from schemas.verdict import CheckResult, Outcome, Verdict, VerdictValue
from schemas.worth import LensWorth, Worth
from tests.unit.report.fakes import DOCS, FUNCTIONS, SOLVED, VARIED, Case, a_case, a_profile, a_verdict, cases, many

PAYLOADS = [
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "<a href='javascript:alert(1)'>x</a>",
    "![x](http://evil.example/x.png)",
    "{{ 7 * 7 }}{% include 'x' %}",
    "<base href='//evil.example/'>",
    "</title><meta http-equiv=refresh content='0;url=http://evil.example'>",
    "a\u202eb\x1b]0;x\x07\x1b[2J\x00c\u2066",
    "]]><!--",
]
ACTIVE = {"script", "iframe", "object", "embed", "img", "base", "link", "form", "a", "foreignobject"}
VOID = {"meta", "br", "img", "link", "input", "base"}


class Page(HTMLParser):
    """Elements, attributes, headings and text of a page."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.headings: list[str] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend((tag, name, value or "") for name, value in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend((tag, name, value or "") for name, value in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            return
        self.text.append(data)
        if self.open and re.fullmatch("h[1-6]", self.open[-1]):
            self.headings.append(data)


def rendered_of(case: Case) -> dict[str, bytes]:
    return render_report(case.manifest, case.profile, case.verdict)


def page_of(case: Case) -> Page:
    return Page(rendered_of(case)["index.html"])


def poisoned() -> Case:
    """The three-source run with every payload in every string that comes from outside."""
    case = a_case()
    account = case.manifest.conservation[0]
    files = [
        account.files[0].model_copy(update={"name": text, "format": text, "warnings": [text], "quarantined": {text: 1}})
        for text in PAYLOADS
    ]
    poisoned_account = account.model_copy(update={"files": files, "quarantined": dict.fromkeys(PAYLOADS, 1)})
    others = [other.model_copy(update={"name": PAYLOADS[i]}) for i, other in enumerate(case.manifest.conservation[1:])]
    checks = [
        CheckResult(name=text, outcome=Outcome.FAIL, severity="fail", scope=text, bound=text, message=text)
        for text in PAYLOADS
    ]
    manifest = case.manifest.model_copy(
        update={"name": PAYLOADS[0], "version": PAYLOADS[2], "conservation": [poisoned_account, *others]}
    )
    return Case(manifest, case.profile, a_verdict(case.profile, VerdictValue.NO_GO, checks))


def test_payloads_in_names_warnings_and_messages_stay_text() -> None:
    case = poisoned()
    rendered = render_report(case.manifest, case.profile, case.verdict)
    page = Page(rendered["index.html"])
    assert not ACTIVE & set(page.tags)
    assert [name for _, name, _ in page.attributes if name.startswith("on") or name == "srcdoc"] == []
    assert page.tags.count("meta") == 4
    assert "alert(1)" in "".join(page.text)
    assert "{{ 7 * 7 }}" in "".join(page.text)


def test_control_and_bidirectional_characters_are_visible() -> None:
    case = poisoned()
    rendered = render_report(case.manifest, case.profile, case.verdict)
    for name, content in ((name, content) for name, content in rendered.items() if name not in SCHEMAS):
        assert not set(content.decode()) & set("\x00\x07\x1b\u202e\u2066"), name
    assert "\\u202e" in "".join(page_of(case).text)


@pytest.mark.parametrize("name", cases())
def test_page_loads_nothing_and_refers_only_to_itself(name: str) -> None:
    case = cases()[name]
    rendered = render_report(case.manifest, case.profile, case.verdict)
    page = Page(rendered["index.html"])
    links = [value for _, name, value in page.attributes if name in ("src", "href", "xlink:href", "action", "data")]
    assert all(link.startswith("#") for link in links)
    policy = next(value for _, _, value in page.attributes if value.startswith("default-src"))
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    for file, content in rendered.items():
        without_namespace = content.replace(b'xmlns="http://www.w3.org/2000/svg"', b"")
        assert not re.search(rb"https?:|//[a-z]|@import|url\((?!#)", without_namespace), file


def test_ids_are_unique_and_every_reference_resolves() -> None:
    page = page_of(a_case())
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    wanted = {value[1:] for _, name, value in page.attributes if name == "href"}
    wanted |= {found for _, _, value in page.attributes for found in re.findall(r"url\(#([^)]+)\)", value)}
    assert wanted <= set(ids)


def test_same_run_gives_the_same_bytes() -> None:
    first, second = a_case(), a_case()
    assert render_report(first.manifest, first.profile, first.verdict) == render_report(
        second.manifest, second.profile, second.verdict
    )


WORDS = [("no_go", "NO-GO"), ("many", "NO-GO"), ("go", "GO"), ("unknown", "UNKNOWN")]


@pytest.mark.parametrize(("name", "word"), WORDS)
def test_the_verdict_is_the_first_heading(name: str, word: str) -> None:
    assert page_of(cases()[name]).headings[0] == word


def test_a_closed_gate_names_the_worst_source_and_what_a_trial_would_have_seen() -> None:
    text = " ".join(page_of(a_case()).text)
    assert "Source solved_problems is 9.2 % distinct at full scale; a 1 % trial would have seen 84 %." in text


def test_an_unsettled_gate_says_how_many_probes_would_settle_it() -> None:
    text = " ".join(page_of(cases()["unknown"]).text)
    assert "the distinct fraction of source docs lies between 76 % and 86 %, and the bound is >= 0.8." in text
    assert "9,400 probes" in text


def test_a_lacking_budget_is_stated_even_when_the_gate_is_open() -> None:
    text = " ".join(page_of(cases()["go"]).text)
    assert "The mixture lacks 12.5 million tokens of its budget." in text
    assert "The budget lacks 12,500,000 tokens" in text


def test_lost_documents_are_stated() -> None:
    case = a_case()
    account = case.manifest.conservation[1]
    broken = [account.model_copy(update={"kept": account.kept - 3}), *case.manifest.conservation[2:]]
    manifest = case.manifest.model_copy(update={"conservation": [case.manifest.conservation[0], *broken]})
    text = " ".join(page_of(Case(manifest, case.profile, case.verdict)).text)
    assert "Conservation is violated: 6 slots, documents or tokens are unaccounted for, in functions" in text
    assert "Nothing is unaccounted for" not in text


@pytest.mark.parametrize("number", [1, 2, 8, 9, 29])
def test_every_source_is_named_in_the_tables(number: int) -> None:
    sources = many(number)
    page = rendered_of(a_case(sources))["index.html"].decode()
    for source in sources:
        assert page.count(f'<th scope="row">{source.name}</th>') >= 4


def test_sixty_sources_fit_into_three_megabytes() -> None:
    rendered = rendered_of(a_case(many(60)))
    assert len(rendered["index.html"]) <= 3_000_000


def test_no_number_is_in_scientific_notation() -> None:
    page = page_of(a_case([DOCS, FUNCTIONS, SOLVED]))
    text = re.sub(r"[0-9a-f]{64}", "", " ".join(page.text))
    assert not re.search(r"\d[eE][-+]?\d|\bnan\b|\binf\b", text)


def test_a_number_that_is_not_finite_is_refused() -> None:
    case = a_case()
    bad = Estimate.model_construct(value=math.nan, low=0.0, high=1.0)
    scope = case.profile.scopes[0].model_copy(update={"duplicate_fraction": bad})
    profile = case.profile.model_copy(update={"scopes": [scope, *case.profile.scopes[1:]]})
    with pytest.raises(ValueError, match=r"JSON compliant|must be finite"):
        render_report(case.manifest, profile, case.verdict)


def test_figures_are_files_of_their_own_and_well_formed() -> None:
    rendered = rendered_of(a_case())
    figures = {"scale_curve_mixture.svg", "scale_curve_input.svg", "flow.svg", "containment.svg"}
    assert set(rendered) == {"index.html", "report.json", *SCHEMAS} | figures
    for name in figures:
        root = ElementTree.fromstring(rendered[name])  # noqa: S314  # our own file
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert rendered[name].decode().strip() in rendered["index.html"].decode()


def test_the_json_holds_what_the_page_shows() -> None:
    case = a_case()
    loaded = json.loads(rendered_of(case)["report.json"])
    assert Verdict.model_validate(loaded["verdict"]) == case.verdict
    assert list(loaded) == sorted(loaded)
    assert {"plan", "conservation", "profile"} < set(loaded)


def test_an_audit_has_neither_mixture_nor_written_documents() -> None:
    case = a_case([DOCS, FUNCTIONS, VARIED])
    manifest = case.manifest.model_copy(update={"command": "audit", "plan": None})
    verdict = case.verdict.model_copy(update={"judged": "input", "checks": case.verdict.checks[:1]})
    rendered = render_report(manifest, a_profile([DOCS, FUNCTIONS, VARIED], (Stage.INPUT,)), verdict)
    page = Page(rendered["index.html"])
    assert "The mixture" not in page.headings
    assert "Written" not in page.text
    assert "scale_curve_mixture.svg" not in rendered


def test_a_run_without_evidence_still_has_a_report() -> None:
    case = a_case()
    empty = case.profile.model_copy(update={"scopes": [], "containments": []})
    text = " ".join(Page(render_report(case.manifest, empty, case.verdict)["index.html"]).text)
    assert "Nothing was measured." in text
    assert "no documents at this stage" in text


def test_only_the_worst_fifty_files_are_listed_and_the_rest_are_counted() -> None:
    case = a_case()
    account = case.manifest.conservation[0]
    files = [
        account.files[0].model_copy(update={"name": f"part-{i:03d}", "quarantined": {"bad_json": i + 1}})
        for i in range(73)
    ]
    manifest = case.manifest.model_copy(update={"conservation": [account.model_copy(update={"files": files})]})
    page = render_report(manifest, case.profile, case.verdict)["index.html"].decode()
    assert "And 23 more files with trouble" in page
    assert "part-072" in page
    assert "part-022" not in page


def test_the_report_says_what_the_tokens_are_worth_and_how_often_they_are_repeated() -> None:
    case = a_case([DOCS, FUNCTIONS])
    shares = [Estimate(value=value, low=value, high=value) for value in (0.9, 0.06, 0.0, 0.04, 0.0, 0.0)]
    tokens = [Estimate(value=value, low=value, high=value) for value in (12.3e9, 14.1e9)]
    near = LensWorth(
        lens="near", tokens=15e9, unique_tokens=tokens[0], effective_tokens=tokens[1], repeats=shares, often=shares[3]
    )
    worth = Worth(tokens=15e9, lenses=[near], last_epoch={"docs": 0.38})
    profile = case.profile.model_copy(update={"worth": worth})
    page = render_report(case.manifest, profile, case.verdict)["index.html"].decode()
    assert "Worth: 12.3 to 14.1 of 15.0 billion tokens (least by near)." in page
    assert "Repeated 17 times or more: 4.0 % of the tokens by near." in page
    assert "0.38 in docs" in page
    assert '<th class="n">17-64</th>' in page
    assert 'id="worth"' not in render_report(case.manifest, case.profile, case.verdict)["index.html"].decode()
