"""Contract: one run of the command, and what it leaves in its folder."""

import csv
import io
import json
import re

import pytest

from helpers.errors import ReportError

BEGIN = "from helpers.lesson import begin\nlesson = begin(study, language)"

RESULT = """\
import pandas as pd
from helpers.results import CheckResult, Number
from helpers.results import Basis
from helpers.tables import apa_table
rows = pd.DataFrame({"term": ["=1+1", "满意"], "estimate": [0.4, 1 / 3]})
shown = apa_table(rows, caption="Paths", basis=Basis(40, "ML", "bootstrap"))
lesson.table(shown, id="paths", definition="ML estimate")
lesson.say("The estimate is 0.40, 95% CI [0.30, 0.50].")
lesson.number(Number("b", 0.4, "ML estimate", n_used=40))
lesson.check(CheckResult("CFI", True, 0.96, 0.95, "source", "good"))"""
FIGURE = """\
import matplotlib.pyplot as plt
fig, ax = plt.subplots()
ax.plot([1, 2])
lesson.figure(ax, id="line", caption="A line", alt="It <rises>.")"""


@pytest.fixture(scope="module")
def finished(module_project):
    """Four notebooks run once with the command: made, failed, not applicable, the paper."""
    from helpers.cli import main

    p = module_project
    p.notebook("20_result", BEGIN, "## Result", RESULT, FIGURE, "print(n_boot)")
    p.notebook("30_fails", BEGIN, "lesson.say('Reached.')", "1 / 0", "print('not reached')")
    p.notebook("40_matrix", BEGIN.replace("language)", "language, needs=['matrix'])"), "undefined")
    p.notebook("95_report", BEGIN, "## Findings", "secret_code = 1\nlesson.say('Found.')")
    code = main(["run", "toy", "--set", "n_boot=7"])
    return code, p.root / "reports" / "toy" / "en_n_boot-7"


def load(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_one_failure_gives_exit_code_one_and_all_other_pages(finished):
    code, folder = finished
    assert code == 1
    entries = load(folder, "manifest.json")["notebooks"]
    assert {n[:2]: e["status"] for n, e in entries.items()} == {
        "20": "made", "30": "failed", "40": "not_applicable", "95": "made",
    }  # fmt: skip
    assert all((folder / e["page"]).is_file() for e in entries.values())


def test_the_page_of_a_failure_says_why(finished):
    page = (finished[1] / "30_fails.html").read_text(encoding="utf-8")
    assert "Reached." in page and "ZeroDivisionError</strong>: division by zero" in page
    index = (finished[1] / "index.html").read_text(encoding="utf-8")
    assert "ZeroDivisionError: division by zero" in index and "failed" in index


def test_a_table_is_safe_for_a_spreadsheet_and_marked(finished):
    data = (finished[1] / "tables" / "20_paths.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert [r["term"] for r in rows] == ["'=1+1", "满意"]
    assert float(rows[1]["estimate"]) == 1 / 3
    assert {r["data"] for r in rows} == {"SIMULATED"}


def test_a_figure_carries_its_text(finished):
    svg = (finished[1] / "figures" / "20_line.svg").read_text(encoding="utf-8")
    assert "<title>A line [SIMULATED]</title><desc>It &lt;rises&gt;.</desc>" in svg
    page = (finished[1] / "20_result.html").read_text(encoding="utf-8")
    assert 'alt="It &lt;rises&gt;."' in page


def test_results_hold_every_number_with_its_definition(finished):
    found = load(finished[1], "results.json")["notebooks"]["20_result"]
    assert found["numbers"][0]["definition"] == "ML estimate"
    assert found["tables"][0]["table"]["rows"][1]["estimate"] == 1 / 3
    assert found["tables"][0]["definition"] == "ML estimate"
    assert found["tables"][0]["formula"] == "helpers.tables.apa_table"
    basis = found["tables"][0]["basis"]
    assert (basis["n_used"], basis["errors"], basis["engine"]) == (40, "bootstrap", "helpers")
    assert basis["version"]
    assert found["checks"][0]["passed"] is True


def test_the_manifest_says_what_it_was_made_from(finished):
    manifest = load(finished[1], "manifest.json")
    assert set(manifest["data"]["files"]) == {"study.yml", "items.csv", "raw/answers.csv"}
    assert re.fullmatch(r"[0-9a-f]{64}", manifest["data"]["hash"])
    assert manifest["versions"]["pandas"] and manifest["versions"]["python"]
    entry = manifest["notebooks"]["20_result"]
    assert entry["parameters"]["n_boot"] == 7
    assert entry["parameters"]["share"] == 0.5
    assert entry["key_sentence"] == "The estimate is 0.40, 95% CI [0.30, 0.50]."


def test_the_parameter_reached_the_notebook(finished):
    text = (finished[1] / "notebooks" / "20_result.ipynb").read_text(encoding="utf-8")
    assert '"7\\n"' in text


def test_the_paper_shows_no_code(finished):
    paper = (finished[1] / "report.html").read_text(encoding="utf-8")
    assert "Found." in paper and "secret_code" not in paper


def test_no_file_names_the_machine(finished, module_project):
    for path in finished[1].rglob("*.*"):
        if path.suffix in {".html", ".json", ".ipynb", ".csv", ".svg"}:
            text = path.read_text(encoding="utf-8")
            assert str(module_project.root) not in text, path.name
            assert "site-packages" not in text, path.name
            assert "ipykernel_" not in text, path.name


def test_every_link_of_the_index_leads_somewhere(finished):
    for folder in (finished[1], finished[1].parents[1]):
        index = (folder / "index.html").read_text(encoding="utf-8")
        links = re.findall(r'href="([^"#]+)"', index)
        assert links
        assert [a for a in links if not (folder / a).exists()] == []


@pytest.mark.slow
def test_running_one_notebook_again_keeps_the_others(finished, module_project, study):
    _code, folder = finished
    before = (folder / "30_fails.html").read_bytes()
    module_project.notebook("20_result", BEGIN, "lesson.say('New.')")
    wanted = ("--only", "20", "--plain-kernels", "--format", "html,pdf,docx")
    code, out, _err = study("run", "toy", "--set", "n_boot=7", *wanted)
    assert code == 0 and "1 of 1 pages" in out
    assert "New." in (folder / "20_result.html").read_text(encoding="utf-8")
    assert (folder / "30_fails.html").read_bytes() == before
    assert not (folder / "tables" / "20_paths.csv").exists()
    assert (folder / "20_result.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "20_result.docx").read_bytes().startswith(b"PK")
    assert 'href="20_result.pdf"' in (folder / "index.html").read_text(encoding="utf-8")
    assert set(load(folder, "results.json")["notebooks"]) >= {"20_result", "30_fails"}
    assert not list(folder.rglob(".new-*"))


def test_an_unwritable_folder_stops_before_anything_runs(project, study, tmp_path):
    project.notebook("10_a", "open('ran', 'w')")
    (tmp_path / "file").write_text("in the way")
    code, _out, err = study("run", "toy", "--out", str(tmp_path / "file" / "below"))
    assert code == 2
    assert "cannot be written" in err and "--out" in err
    assert str(tmp_path) not in err
    assert not (project.root / "ran").exists()


def test_a_second_run_into_the_folder_is_refused(project, study):
    from helpers.report.folder import locked, prepare

    project.notebook("10_a")
    folder = project.root / "reports" / "toy" / "en"
    prepare(folder)
    with locked(folder):
        code, _out, err = study("run", "toy")
    assert code == 2 and "another run" in err
    assert not (folder / "index.html").exists()


def test_a_crash_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    from helpers.report import folder

    path = tmp_path / "a.html"
    folder.write_whole(path, "old")
    monkeypatch.setattr(folder.os, "replace", lambda *a: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(ReportError, match=r"a\.html cannot be written \(disk\)"):
        folder.write_whole(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.html"]


def test_fresh_removes_earlier_files_of_the_run_only(tmp_path):
    from helpers.report import folder

    folder.prepare(tmp_path)
    for name in ("old.html", "manifest.json", "tables/a.csv", "mine.txt"):
        (tmp_path / name).write_text("x")
    folder.empty(tmp_path)
    left = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert left == {"mine.txt"}


def test_a_faulty_study_stops_and_earlier_pages_stay(project, study):
    project.notebook("10_a", BEGIN)
    assert study("run", "toy")[0] == 0
    page = project.root / "reports" / "toy" / "en" / "10_a.html"
    before = page.read_bytes()
    (project.root / "data" / "toy" / "raw" / "answers.csv").write_text("SAT1,SAT2\n1,2\n")
    code, _out, err = study("run", "toy")
    assert code == 2
    assert "sha256" in err and "nothing written over" in err and "study check toy" in err
    assert page.read_bytes() == before
