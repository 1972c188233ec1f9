"""Contract: the manager's brief has two pages in print, and every finding links its notebook."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.cli import main
from helpers.report.scrub import safe_html

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PAGES = 2


def test_links_to_pages_beside_it_stay_and_others_go():
    kept = '<a href="81_what_should_change.html">notebook 81</a>'
    assert safe_html(kept) == kept
    for address in (
        "https://a.b/81_x.html",
        "../81_x.html",
        "81_x.html?a",
        "81_x.html#b",
        "x.html",
    ):
        assert "href" not in safe_html(f'<a href="{address}">x</a>')


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("brief")
    words = ["--only", "96", "--language", "en,zh", "--format", "html,pdf", "--out", str(out)]
    assert main(["run", "online_shopping", "--set", "n_boot=300", *words]) == 0
    return {p.parent.name[:2]: p.parent for p in out.rglob("96_*.html")}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="pdfinfo counts the pages of the PDF")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_brief_has_two_pages(folder, language):
    path = next(folder[language].glob("96_*.pdf"))
    told = subprocess.run(["pdfinfo", str(path)], capture_output=True, text=True, check=True).stdout
    assert int(re.search(r"Pages:\s+(\d+)", told)[1]) == PAGES


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_finding_links_a_notebook_that_exists(folder, language):
    page = next(folder[language].glob("96_*.html")).read_text(encoding="utf-8")
    findings = re.findall(r'<p class="reading">(.*?)</p>', page, re.DOTALL)
    assert len(findings) >= 9
    for finding in findings:
        links = re.findall(r'href="([^"]+)\.html"', finding)
        assert len(links) == 1, finding
        assert (NOTEBOOKS / f"{links[0]}.ipynb").is_file()
