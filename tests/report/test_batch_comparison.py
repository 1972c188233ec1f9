"""Contract: the words of a batch's pages, and what the comparison says of who is missing."""

import re

import pytest

from helpers.report.batch.compare import differences
from helpers.report.batch.expand import expand
from helpers.report.batch.pages import report_label, write_pages
from helpers.report.batch.settings import read_batch

BATCH = "study: toy\ngroups: [all, half]\nlanguages: [{languages}]\n"


def read(project, text):
    path = project.root / "b.yml"
    path.write_text(text, encoding="utf-8")
    batch = read_batch(path)
    batch.folder.mkdir(parents=True, exist_ok=True)
    return batch, expand(batch)


def number(id, value):
    return {"id": id, "label": id, "value": value, "low": value - 0.1, "high": value + 0.1, "n": 77}


def line(report, *numbers):
    return {
        "report": report.name, "axes": dict(report.axes), "language": report.request.language,
        "selection": report.request.selection, "formats": ["html"], "status": "made",
        "seconds": 1.0, "why": [], "notebooks": {"10_first": "made"}, "failures": [],
        "numbers": list(numbers), "manifest": "m", "made_from": "f",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("groups: [all, half]", ["everybody", "half = first", "half = second"]),
        ("groups: [all]\nmatrix: {n_boot: [1]}", ["everybody; n_boot = 1"]),
        ("matrix: {n_boot: [1]}\ninclude: [{where: half = 1}]",
         ["everybody; n_boot = 1", "half = first"]),
        ("matrix: {n_boot: [1, 2]}", ["n_boot = 1", "n_boot = 2"]),
        ("languages: [en, zh]", ["everybody; in English", "everybody; in Chinese"]),
    ],
)  # fmt: skip
def test_a_report_is_named_by_who_is_in_it(grouped, text, labels):
    batch, reports = read(grouped, f"study: toy\n{text}\n")
    assert [report_label(batch, r) for r in reports] == labels


def test_a_report_is_held_against_one_that_has_the_number(grouped):
    text = BATCH.replace("all, ", "").format(languages="en") + "include: [{where: side = 1}]\n"
    _batch, reports = read(grouped, text)
    first, second, third = reports
    lines = [
        line(first, number("30.a", 0.8)),
        line(second, number("30.a", 0.7), number("50.b", 0.2)),
        line(third, number("50.b", 0.5)),
    ]
    table = differences(lines).set_index(["id", "report"])
    assert list(table["reference"]) == ["", first.name, "", second.name]
    assert table.loc[("50.b", third.name), "difference"] == pytest.approx(0.3)
    assert table.loc[("30.a", second.name), "difference_low"] < -0.1


def test_who_lacks_a_number_is_named_and_the_language_is_not(grouped):
    batch, reports = read(grouped, BATCH.format(languages="en, zh"))
    numbers = (number("30.a", 0.8),)
    lines = {r.name: line(r, *(() if r.axes.get("half") == 2 else numbers)) for r in reports}
    write_pages(batch, reports, lines, [])
    page = (batch.folder / "comparison.html").read_text(encoding="utf-8")
    assert "does not apply: half = second." in page and "2 of 3 reports" in page
    assert "in English" not in page and "everybody" in page
    assert ">77<" in page and "95%" in page
    index = (batch.folder / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'class="title" href="[^"]+">([^<]+)<', index)[:2] == [
        "everybody; in English", "everybody; in Chinese",
    ]  # fmt: skip
