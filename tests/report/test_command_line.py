"""Contract: the commands, their exit codes, and what they pass on."""

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

    def run(command, cwd):
        seen.update(command=command, cwd=cwd)
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr("helpers.report.lab.subprocess.run", run)
    assert study("lab", "--no-browser", "--port", "9999")[0] == 0
    expected = ["-m", "jupyterlab", "notebooks/00_start.ipynb", "--no-browser", "--port", "9999"]
    assert seen["command"] == [sys.executable, *expected]
    assert seen["cwd"] == project.root


def test_lab_without_a_first_notebook_is_an_error(project, study):
    assert study("lab")[0] == 2


@pytest.mark.parametrize("words", [[], ["fly"], ["run", "toy", "--fast"], ["list", "--all"]])
def test_unknown_words_end_with_two(study, words):
    with pytest.raises(SystemExit) as caught:
        study(*words)
    assert caught.value.code == 2
