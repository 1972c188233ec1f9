"""Contract: the index of a batch in a real browser: search, status, sorting, on phone and desk."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import browser

from helpers.report.batch.expand import expand
from helpers.report.batch.pages import write_pages
from helpers.report.batch.settings import read_batch

pytestmark = pytest.mark.slow

REPORTS = 200
TABLET = (720, 1000)


@pytest.fixture(scope="module")
def batch(module_project):
    """The pages of 200 reports, made from lines of the journal written by hand."""
    browser.chromium()
    project = module_project
    project.notebook("10_work", "1")
    values = ", ".join(str(i) for i in range(1, REPORTS + 1))
    path = project.root / "b.yml"
    path.write_text(f"study: toy\nmatrix: {{n_boot: [{values}]}}", encoding="utf-8")
    found = read_batch(path)
    found.folder.mkdir(parents=True)
    reports = expand(found)
    lines = {r.name: _line(r.name, i) for i, r in enumerate(reports[:-1])}
    write_pages(found, reports, lines, [reports[-1].name])
    return found.folder


def _line(name, i):
    numbers = [
        {"id": f"50.paths.{k}", "label": f"a rather long name → another name {k}",
         "value": (i * 37) % 100 / 10, "low": 0.0, "high": 12.0, "n": 9}
        for k in range(1, 5)
    ]  # fmt: skip
    failed = [{"notebook": "10_work", "message": "broken", "page": "10_work.html"}]
    return {
        "report": name, "axes": {"n_boot": i + 1}, "language": "en", "selection": "",
        "status": "failed" if i == 7 else "made", "seconds": float(i), "why": [],
        "notebooks": {"10_work": "made"}, "failures": failed if i == 7 else [],
        "numbers": numbers, "manifest": "", "made_from": "",
    }  # fmt: skip


def shown(page):
    return page.evaluate("[...document.querySelectorAll('tbody tr')].filter(r => !r.hidden).length")


def column(page, k):
    cells = f"[...document.querySelectorAll('tbody tr td:nth-child({k})')].map(c => c.dataset.sort)"
    return [float(v) for v in page.evaluate(cells) if v is not None]


def test_search_status_and_sorting_work(batch):
    with (
        browser.browser() as opened,
        browser.page_of(opened, batch / "index.html", browser.DESK) as (page, seen),
    ):
        assert shown(page) == REPORTS
        page.fill("#search", "n_boot = 19")
        assert shown(page) == 12  # 19, 119, and 190 to 199
        assert page.inner_text("#count") == f"12 / {REPORTS}"
        page.fill("#search", "")
        page.select_option("#status", "failed")
        assert shown(page) == 1 and "broken" in page.inner_text("tbody")
        page.select_option("#status", "left")
        assert shown(page) == 1
        page.select_option("#status", "")
        page.click("th:nth-child(4) button")
        found = column(page, 4)
        assert found == sorted(found) and len(found) == REPORTS - 1
        page.click("th:nth-child(4) button")
        assert column(page, 4) == sorted(found, reverse=True)
        assert page.get_attribute("th:nth-child(4)", "aria-sort") == "descending"
        assert seen.errors == []


@pytest.mark.parametrize("name", ["index.html", "comparison.html"])
@pytest.mark.parametrize(
    "size", [browser.PHONE, TABLET, browser.DESK], ids=("phone", "tablet", "desk")
)
def test_pages_fit_are_quiet_and_readable(batch, name, size):
    with browser.browser() as opened:
        for theme in ("light", "dark"):
            with browser.page_of(opened, batch / name, size, theme) as (page, seen):
                assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
                assert browser.violations(page) == []
                assert all(u.startswith(("file:", "data:")) for u in seen.requests)
                assert seen.errors == []
