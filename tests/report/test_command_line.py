"""Contract: the commands, their exit codes, and what they pass on."""

import os
import sys

import pytest


def test_list_names_the_studies(project, study):
    assert study("list")[:2] == (0, "toy\n")


def test_check_fails_for_an_error_and_names_it(project, study):
    assert study("check", "toy")[0] == 0
    data = project.root / "data" / "toy" / "raw" / "answers.csv"
    data.write_text("SAT1,SAT2\n1,2\n")
    code, out, _err = study("check", "toy")
    assert code == 1 and "error" in out and "sha256" in out


def test_lab_opens_the_first_notebook_and_passes_options_on(project, study, monkeypatch):
    project.notebook("00_start")
    project.notebook("10_a")
    seen = {}

    def run(command, cwd, env):
        seen.update(command=command, cwd=cwd, env=env)
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr("helpers.report.lab.subprocess.run", run)
    assert study("lab", "--no-browser", "--port", "9999")[0] == 0
    expected = ["-m", "jupyterlab", "notebooks/00_start.ipynb", "--no-browser", "--port", "9999"]
    assert seen["command"] == [sys.executable, *expected]
    assert seen["cwd"] == project.root
    assert seen["env"].items() >= os.environ.items()
    assert seen["env"]["MKL_NUM_THREADS"] == os.environ.get("MKL_NUM_THREADS", "1")


def test_lab_without_a_first_notebook_is_an_error(project, study):
    assert study("lab")[0] == 2


@pytest.mark.parametrize("words", [[], ["fly"], ["run", "toy", "--fast"], ["list", "--all"]])
def test_unknown_words_end_with_two(study, words):
    with pytest.raises(SystemExit) as caught:
        study(*words)
    assert caught.value.code == 2


@pytest.mark.slow
def test_a_part_of_the_respondents_is_a_run_of_its_own(project, study):
    project.notebook("10_a", "from helpers.lesson import begin\nlesson = begin(study, language)",
                     "print('rows', len(lesson.study.raw))")  # fmt: skip
    code, out, err = study("run", "toy where SAT1 >= 3")
    assert code == 0, err
    (root,) = (project.root / "reports" / "toy").glob("en_where*")
    page = (root / "10_a.html").read_text(encoding="utf-8")
    lines = (project.root / "data" / "toy" / "raw" / "answers.csv").read_text().splitlines()[1:]
    n = sum(int(line.split(",")[0]) >= 3 for line in lines)
    assert 0 < n < 30
    assert f"Selection: SAT1 ≥ 3; {n} of {len(lines)} rows received." in page
    assert "does not apply" in page and "at least 30 are needed" in page
    code, _out, err = study("run", "toy where SAT9 >= 3")
    assert code == 2 and "SAT9" in err
