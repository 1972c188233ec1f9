"""Hand calculation and contract: key numbers, differences between reports, the batch's pages."""

import json
import math
import re

import pytest

from helpers.report.batch.compare import differences, disjoint, reference_of
from helpers.report.batch.expand import expand
from helpers.report.batch.numbers import read_numbers
from helpers.report.batch.pages import write_pages
from helpers.report.batch.settings import read_batch
from helpers.survey.intervals import difference_interval

Z = 1.959963984540054


def test_difference_of_symmetric_intervals_is_that_of_wald():
    a, b, se_a, se_b = 0.42, 0.17, 0.08, 0.11
    first = (a, a - Z * se_a, a + Z * se_a)
    second = (b, b - Z * se_b, b + Z * se_b)
    half = Z * math.hypot(se_a, se_b)
    expected = (a - b, a - b - half, a - b + half)
    assert difference_interval(first, second) == pytest.approx(expected, abs=1e-12)


def test_difference_keeps_the_shape_of_crooked_intervals():
    # by hand: d = 0.5; lower 0.5 - sqrt(0.3^2 + 0.4^2) = 0; upper 0.5 + sqrt(0.6^2 + 0.8^2) = 1.5
    assert difference_interval((0.7, 0.4, 1.3), (0.2, -0.6, 0.6)) == pytest.approx((0.5, 0.0, 1.5))


@pytest.mark.parametrize(
    ("first", "second", "apart"),
    [
        ("half = 1", "half = 2", True),
        ("half = 1|2", "half = 2", False),
        ("half = 1 and side = 1", "side = 1 and half = 2", True),
        ("half = 1", "side = 1", False),
        ("half = 1", "", False),
        ("half != 1", "half = 2", False),
        ("started_at <= 2026-01-31", "started_at >= 2026-02-01", True),
        ("started_at <= 2026-02-01", "started_at >= 2026-02-01", False),
    ],
)
def test_who_cannot_be_in_both_is_seen(first, second, apart):
    assert disjoint(first, second) is apart and disjoint(second, first) is apart


def line(name, value, *, selection="", axes=None, half=0.1):
    number = {"id": "50.paths.1", "label": "A → B", "value": value, "low": value - half,
              "high": value + half, "n": 100}  # fmt: skip
    return {
        "report": name, "axes": axes or {}, "language": "en", "selection": selection,
        "formats": ["html"], "status": "made", "seconds": 1.0, "why": [],
        "notebooks": {"10_a": "made"},
        "failures": [], "numbers": [number], "manifest": "m", "made_from": "f",
    }  # fmt: skip


def test_each_report_is_held_against_the_first_of_other_people():
    lines = [
        line("en", 0.5),
        line("half=1", 0.3, selection="half = 1", axes={"half": 1}),
        line("half=2", 0.6, selection="half = 2", axes={"half": 2}),
        line("n=5_half=2", 0.7, selection="half = 2", axes={"n": 5, "half": 2}),
    ]
    assert reference_of(lines[0], lines) is None
    assert reference_of(lines[2], lines)["report"] == "half=1"
    assert reference_of(lines[3], lines)["report"] == "en"  # other parameters: no like report
    table = differences(lines).set_index("report")
    assert table.loc["half=2", "difference"] == pytest.approx(0.3)
    half = math.hypot(0.1, 0.1)
    assert table.loc["half=2", "difference_low"] == pytest.approx(0.3 - half)
    assert table.loc["half=1", "reference"] == "en"
    assert table.loc["half=1", "difference"] == pytest.approx(-0.2)
    assert table.loc["half=1", ["difference_low"]].isna().all()


RESULTS = {
    "notebooks": {
        "30_reliability": {"numbers": [{"id": "alpha_A", "value": 0.8, "ci_low": 0.7,
                                        "ci_high": 0.9, "n_used": 40}]},
        "50_model": {"tables": [{"id": "paths", "basis": {"n_used": 33}, "table": {"rows": [
            {"predictor": "A", "outcome": "B", "estimate": 0.4, "ci_low": 0.2, "ci_high": 0.6},
            {"predictor": "A", "outcome": "C", "estimate": None},
            {"predictor": "B", "outcome": "C", "estimate": -0.1, "ci_low": None}]}}]},
    }
}  # fmt: skip


def test_key_numbers_are_read_by_name_and_by_place(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(RESULTS), encoding="utf-8")
    found = read_numbers(tmp_path, ["50.paths", "30.alpha_A", "50.paths.1", "99.nothing"])
    assert [(n["id"], n["label"], n["value"], n["low"]) for n in found] == [
        ("50.paths.1", "A → B", 0.4, 0.2), ("50.paths.3", "B → C", -0.1, None),
        ("30.alpha_A", "alpha_A", 0.8, 0.7),
    ]  # fmt: skip
    assert [n["n"] for n in found] == [33, 33, 40]
    assert [n["id"] for n in read_numbers(tmp_path, ["50.paths.3"])] == ["50.paths.3"]
    assert [n["id"] for n in read_numbers(tmp_path, [])] == ["50.paths.1", "50.paths.3"]
    assert read_numbers(tmp_path / "nowhere", ["50.paths"]) == []


@pytest.fixture
def many(project):
    """Two hundred reports of which three were not reached and one failed."""
    project.notebook("10_work", "1")
    numbers = ", ".join(str(i) for i in range(1, 201))
    path = project.root / "b.yml"
    path.write_text(
        f"study: toy\nlanguages: [zh]\nmatrix: {{n_boot: [{numbers}]}}", encoding="utf-8"
    )
    batch = read_batch(path)
    batch.folder.mkdir(parents=True)
    return batch, expand(batch)


def test_the_index_names_all_and_runs_one_script(many):
    batch, reports = many
    lines = {
        r.name: {**line(r.name, i / 100), "language": "zh"} for i, r in enumerate(reports[:-3])
    }
    failed = {"notebook": "10_work", "message": "<b>broken</b>", "page": "10_work.html"}
    lines[reports[0].name] |= {"status": "failed", "failures": [failed]}
    write_pages(batch, reports, lines, [r.name for r in reports[-3:]])
    page = (batch.folder / "index.html").read_text(encoding="utf-8")
    states = re.findall(r'<tr data-status="(\w+)">', page)
    assert {s: states.count(s) for s in set(states)} == {"made": 196, "failed": 1, "left": 3}
    assert "&lt;b&gt;broken&lt;/b&gt;" in page and "<b>broken" not in page
    assert 'href="toy/n_boot%3D1/10_work.html"' in page
    assert page.count("<script>") == 1 and "script-src 'sha256-" in page
    assert "尚未执行：3" in page and 'lang="zh-CN"' in page
    comparison = (batch.folder / "comparison.html").read_text(encoding="utf-8")
    assert comparison.count("<tr>") == 198 and "MOVER" in comparison
    stored = json.loads((batch.folder / "batch.json").read_text(encoding="utf-8"))
    assert len(stored["reports"]) == 197 and len(stored["left"]) == 3


def test_the_script_is_the_one_that_the_policy_names(many):
    import base64
    import hashlib

    batch, reports = many
    write_pages(batch, reports, {}, [r.name for r in reports])
    page = (batch.folder / "index.html").read_text(encoding="utf-8")
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page
    assert not (batch.folder / "comparison.html").exists()
    runs = (batch.folder.parent / "index.html").read_text(encoding="utf-8")
    assert f'href="{batch.folder.name}/index.html"' in runs and "批次 b" in runs
