"""Contract: the sliders of a page compute what the suite computes, from the keyboard alone."""

import html
import io
import re
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import browser

from helpers.i18n import in_language
from helpers.report.harvest import Harvest, Prose, Sliders
from helpers.report.page import Frame, notebook_page
from helpers.report.printed import docx
from helpers.service.scenario_study import LeverSlopes, read_plan
from helpers.service.scenarios import Slopes
from helpers.survey.load import load_study
from helpers.tables.calculator import calculator

FRAME = Frame(study="SIMULATED", simulated=True)
POSITIONS = [
    ({"timeliness": 1.0}, 0.0, 60.0, "all"),
    ({"timeliness": 0.3, "compensation": 2.0, "apology": 1.7}, 0.35, 90.0, "2"),
    ({"follow_up": 0.6, "personalisation": 0.1}, 1.0, 15.0, "3"),
    ({}, 0.5, 60.0, "1"),
]


@pytest.fixture(scope="module")
def sliders():
    study = load_study("online_shopping")
    plan = read_plan(study)
    rng = np.random.default_rng(4)
    slope = np.array([0.18, 0.17, 0.05, 0.05, 0.02])
    mixing = 0.015 * np.eye(5) + 0.004 * rng.normal(size=(5, 5))
    draws = slope + rng.normal(size=(400, 5)) @ mixing
    found = LeverSlopes(Slopes(slope, draws), 942, "montecarlo", 0, None)
    made = {}
    for language in ("en", "zh"):
        with in_language(language):
            made[language] = calculator(study, plan, found, steps={"timeliness": 1.0}, value=60.0)
    return made


WIDE = "$$net=value" + "+value" * 20 + "$$"
"""A formula wider than a phone; the keyboard has to reach it."""


def harvest_of(shown):
    block = Sliders("c", shown.data, shown.first_sentence(), shown.default_html())
    return Harvest("Sliders", [Prose(WIDE), block])


@pytest.fixture(scope="module", params=["en", "zh"])
def language(request):
    return request.param


@pytest.fixture(scope="module")
def path(sliders, language, tmp_path_factory):
    with in_language(language):
        page = notebook_page(harvest_of(sliders[language]), FRAME)
    path = tmp_path_factory.mktemp("sliders") / "81_sliders.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def opened():
    with browser.browser() as found:
        yield found


def move(page, part, value):
    code = "([s, v]) => { const x = document.querySelector(s); x.value = v;"
    code += " x.dispatchEvent(new Event('input', {bubbles: true})); }"
    page.evaluate(code, [part, str(value)])


def test_every_position_gives_the_number_of_the_suite(opened, path, sliders, language):
    shown = sliders[language]
    with browser.page_of(opened, path, browser.DESK) as (page, seen):
        for steps, weight, value, segment in POSITIONS:
            for code in shown.start:
                move(page, f"#c-{code}", steps.get(code, 0))
            move(page, "#c-weight", weight)
            move(page, "#c-value", value)
            page.select_option("#c-segment", segment)
            wanted = shown.result(steps, weight=weight, value=value, segment=segment)
            assert page.inner_text(".outcome") == wanted
        assert not seen.errors


def test_the_text_without_a_script_is_that_of_the_script(opened, path, sliders, language):
    shown = sliders[language]
    with browser.page_of(opened, path, browser.DESK) as (page, _seen):
        assert page.inner_text(".outcome") == shown.first_sentence()
    assert shown.first_sentence() in path.read_text(encoding="utf-8")


def test_the_keyboard_moves_it_and_the_warning_comes(opened, path, sliders, language):
    with browser.page_of(opened, path, browser.DESK) as (page, _seen):
        page.focus("#c-timeliness")
        assert page.inner_text(".beyond") == ""
        page.keyboard.press("ArrowRight")
        wanted = sliders[language].result({"timeliness": 1.1}, weight=0.0, value=60.0)
        assert page.inner_text(".outcome") == wanted
        name = sliders[language].data["levers"][0]["name"]
        assert name in page.inner_text(".beyond")


@pytest.mark.parametrize("size", (browser.PHONE, browser.DESK), ids=("phone", "desk"))
def test_it_fits_and_axe_finds_nothing(opened, path, size):
    with browser.page_of(opened, path, size) as (page, seen):
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert not browser.violations(page)
        assert not seen.errors
        assert all(url.startswith(("file:", "data:")) for url in seen.requests)


def test_paper_shows_where_it_starts(sliders, language):
    with in_language(language):
        printed = docx(harvest_of(sliders[language]), FRAME)
    with zipfile.ZipFile(io.BytesIO(printed)) as archive:
        text = re.sub(r"<[^>]+>", "", archive.read("word/document.xml").decode("utf-8"))
    assert html.unescape(text).count(sliders[language].first_sentence()) == 1


def test_the_script_is_the_same_on_every_page(sliders):
    pages = []
    for language in ("en", "zh"):
        with in_language(language):
            pages.append(notebook_page(harvest_of(sliders[language]), FRAME))
    hashes = {page.split("script-src 'sha256-")[1].split("'")[0] for page in pages}
    assert len(hashes) == 1
