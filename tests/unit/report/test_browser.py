"""The report as a browser lays it out, in headless Chromium."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from polyculture.report.render import render_report
from tests.unit.report.fakes import a_case, cases

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

# The report forbids scripts, so a page of ours opens it in a frame and measures it from outside.
RULER = """<!doctype html><body><iframe id="report" src="{page}" style="border:0;width:{width}px;height:900px"></iframe>
<script>
document.getElementById("report").onload = (event) => {{
  const page = event.target.contentDocument, root = page.documentElement;
  const box = (element) => element.getBoundingClientRect();
  const result = {{
    sideways: root.scrollWidth - root.clientWidth,
    verdict: box(page.querySelector("h1")).bottom,
    figures: [...page.querySelectorAll("figure svg")].map((svg) => [box(svg).width, box(svg).height]),
    loaded: event.target.contentWindow.performance.getEntriesByType("resource").length,
    scripts: page.scripts.length,
    cut: [...page.querySelectorAll(".wide")].filter((e) => e.scrollWidth > e.clientWidth + 1).length,
  }};
  const out = document.createElement("output");
  out.textContent = JSON.stringify(result);
  document.body.append(out);
}};
</script>"""


def laid_out(folder: Path, pages: dict[str, bytes], width: int) -> dict[str, object]:
    """What the ruler measures of a report in a window of this width."""
    for name, content in pages.items():
        (folder / name).write_bytes(content)
    ruler = folder / "ruler.html"
    ruler.write_text(RULER.format(page="index.html", width=width))
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--allow-file-access-from-files", f"--user-data-dir={folder / 'browser'}", "--virtual-time-budget=10000",
        f"--window-size={width + 40},1000", "--dump-dom", ruler.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r"<output>(.*)</output>", done.stdout)
    assert found, done.stdout[-500:] + done.stderr[-500:]
    result: dict[str, object] = json.loads(found[1])
    return result


@pytest.mark.parametrize("name", sorted(cases()))
def test_every_verdict_is_on_the_first_screen_and_nothing_is_cut_off(name: str, tmp_path: Path) -> None:
    case = cases()[name]
    page = laid_out(tmp_path, render_report(case.manifest, case.profile, case.verdict), 1200)
    assert 0 < page["verdict"] < 400  # type: ignore[operator]
    assert (page["sideways"], page["cut"], page["loaded"], page["scripts"]) == (0, 0, 0, 0)
    assert min(min(size) for size in page["figures"]) > 40  # type: ignore[attr-defined]


def test_a_telephone_never_scrolls_the_page_sideways(tmp_path: Path) -> None:
    case = a_case()
    page = laid_out(tmp_path, render_report(case.manifest, case.profile, case.verdict), 390)
    assert page["sideways"] == 0
    assert page["verdict"] < 700  # type: ignore[operator]
