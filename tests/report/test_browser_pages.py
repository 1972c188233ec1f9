"""Contract: pages as a real browser shows them: no error, no request, no overflow, contrast."""

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import browser

from helpers.report.page import Frame, Numbering, framed, numbered, unbroken
from helpers.tables import apa_table

PAPER = (657, 900)
"""What A4 holds between margins of 18 mm, in pixels of CSS."""
BEGIN = "from helpers.lesson import begin\nlesson = begin(study, language)"
PROSE = "## Result\n\nA root $\\sqrt{x^2}$ and $$\\omega = \\frac{a}{b}$$\n\n- one\n- two"
TABLE = """\
import pandas as pd
wide = pd.DataFrame({f"column_number_{i}": [0.123456 * i, 1e6 * i] for i in range(14)})
wide.insert(0, "term", ["<b>满意</b>", "a rather long name of a term"])
lesson.table(wide, id="wide", caption="A wide table", note="Of fourteen columns.")"""
FIGURE = """\
import matplotlib.pyplot as plt
fig, ax = plt.subplots()
ax.plot([1, 2])
lesson.figure(ax, id="line", caption="A line", alt="It rises.")"""
CHECKS = """\
from helpers.results import CheckResult
lesson.check(CheckResult("CFI", True, 0.96, 0.95, "source", "good"))
lesson.say("The estimate is 0.40, 95% CI [0.30, 0.50].")
print("plain " * 60)"""
LANGUAGES, SIZES = ("en", "zh"), (browser.PHONE, browser.DESK)
LOOKS = (
    ("en", "light"),
    ("zh", "dark"),
    pytest.param("en", "dark", marks=pytest.mark.slow),
    pytest.param("zh", "light", marks=pytest.mark.slow),
)
PAGES = ("20_result.html", "30_fails.html", "report.html", "index.html", "../../index.html")


@pytest.fixture(scope="module")
def folders(module_project):
    browser.chromium()
    from helpers.cli import main

    p = module_project
    p.notebook("20_result", BEGIN, PROSE, TABLE, FIGURE, CHECKS)
    p.notebook("30_fails", BEGIN, "1 / 0")
    p.notebook("95_report", BEGIN, PROSE, FIGURE)
    for language in LANGUAGES:
        assert main(["run", "toy", "--language", language]) == 1
    return {language: p.root / "reports" / "toy" / language for language in LANGUAGES}


@pytest.fixture(scope="module")
def opened(folders):
    with browser.browser() as found:
        yield found


@pytest.mark.parametrize("name", PAGES)
class TestPage:
    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("size", SIZES, ids=("phone", "desk"))
    def test_is_quiet_self_contained_and_fits(self, opened, folders, name, language, size):
        path = (folders[language] / name).resolve()
        with browser.page_of(opened, path, size) as (page, seen):
            page.evaluate("document.fonts.ready")
            width = page.evaluate("document.documentElement.scrollWidth")
        assert seen.errors == []
        assert [u for u in seen.requests if not u.startswith(("file:", "data:"))] == []
        assert [u for u in seen.requests if u.startswith("file:")] == [path.as_uri()]
        assert width <= size[0]

    @pytest.mark.parametrize(("language", "theme"), LOOKS)
    def test_can_be_read_by_all(self, opened, folders, name, language, theme):
        path = (folders[language] / name).resolve()
        with browser.page_of(opened, path, browser.DESK, theme) as (page, _seen):
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            faults = browser.violations(page)
            words = page.evaluate("[...document.images].map(i => i.alt)")
        assert faults == []
        assert all(word.strip() for word in words)


def test_the_policy_of_a_page_refuses_scripts_and_requests(opened, folders, tmp_path):
    """What a page could not do even if hostile text had got into it."""
    text = (folders["en"] / "20_result.html").read_text(encoding="utf-8")
    hostile = "<script>document.title='taken'</script><img src='http://192.0.2.1/x.png'>"
    path = tmp_path / "hostile.html"
    path.write_text(text.replace("</body>", hostile + "</body>"), encoding="utf-8")
    with browser.page_of(opened, path, browser.DESK) as (page, seen):
        title = page.title()
    assert title != "taken"
    assert any("Content Security Policy" in error for error in seen.errors)


def test_a_wide_table_fits_the_paper(opened, tmp_path):
    rows = pd.DataFrame({f"column {k}": ["0.12 [0.01, 0.23]"] for k in range(6)})
    table = numbered(unbroken(apa_table(rows, caption="Wide").html()), Numbering())
    path = tmp_path / "wide.html"
    path.write_text(framed("Wide", table, Frame("A study", False)), encoding="utf-8")
    with browser.page_of(opened, path, PAPER) as (page, _seen):
        page.emulate_media(media="print")
        box = "document.querySelector('.wide')"
        assert page.evaluate(f"{box}.scrollWidth - {box}.clientWidth") <= 1


def test_code_opens_by_keyboard_and_prints_closed(opened, folders):
    path = folders["en"] / "20_result.html"
    with browser.page_of(opened, path, browser.DESK) as (page, _seen):
        first = page.locator("details.code summary").first
        first.focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.querySelector('details.code').open")
        page.emulate_media(media="print")
        assert not page.locator("nav.toc").is_visible()
