"""Contract: one execution yields the same pages as one execution a language."""

import json
from pathlib import Path

import nbformat
import pytest

from helpers.i18n import LANGUAGES, in_language
from helpers.report.execute import execute
from helpers.report.harvest import harvest
from helpers.report.kernels import Kernels
from helpers.report.languages import KEY, told_in
from helpers.study import list_studies

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))

BEGIN = "from helpers.lesson import begin\nlesson = begin(study, language)"
COUNT = "from pathlib import Path\nwith Path('runs.txt').open('a') as f:\n    _ = f.write('x')"
TELL = "from helpers.errors import Unavailable\nlesson.say(Unavailable('p', 'q').text())"


def shown(done, language, name):
    """Return what a page in a language is made of."""
    spoken = told_in(done, language)
    with in_language(language):
        return harvest(spoken.notebook, name=name, failure=spoken.failure)


def assert_alike(one, other):
    """Compare two harvests: texts, numbers, drawings, and everything in its place."""
    assert one.title == other.title
    assert len(one.blocks) == len(other.blocks)
    for mine, theirs in zip(one.blocks, other.blocks, strict=True):
        assert mine == theirs
    assert one.payloads == other.payloads
    assert one.svgs == other.svgs


@pytest.fixture
def same_code(monkeypatch):
    """Hold the code's hash still: an editor that saves a file meanwhile is not the matter here."""
    monkeypatch.setattr("helpers.report.facts.room_hashes", lambda _notebook: {})


@pytest.mark.usefixtures("same_code")
class TestToy:
    def test_both_languages_come_from_one_execution(self, project, study, monkeypatch):
        monkeypatch.chdir(project.root)
        project.notebook("10_tell", BEGIN, TELL, COUNT)
        assert study("run", "toy", "--language", "en,zh")[0] == 0
        base = project.root / "reports" / "toy"
        pages = {c: (base / c / "10_tell.html").read_text(encoding="utf-8") for c in LANGUAGES}
        assert "Not available: p" in pages["en"]
        assert "Not available: p" not in pages["zh"]
        assert "无法给出" in pages["zh"]

    def test_a_later_language_runs_nothing(self, project, study):
        project.notebook("10_tell", BEGIN, TELL, COUNT)
        assert study("run", "toy")[0] == 0
        ran = (project.root / "runs.txt").read_text()
        assert study("run", "toy", "--language", "zh")[0] == 0
        assert (project.root / "runs.txt").read_text() == ran == "xx"  # read once a language
        page = project.root / "reports" / "toy" / "zh" / "10_tell.html"
        assert "无法给出" in page.read_text(encoding="utf-8")

    @pytest.mark.slow
    def test_a_fresh_run_of_both_executes_once(self, project, study):
        project.notebook("10_tell", BEGIN, COUNT)
        assert study("run", "toy", "--language", "en,zh", "--fresh")[0] == 0
        assert (project.root / "runs.txt").read_text() == "xx"

    @pytest.mark.slow
    def test_an_error_in_one_language_fails_the_page_of_that_language(self, project, study):
        wrong = "assert language == 'en', 'only in English'"
        project.notebook("10_tell", BEGIN, wrong, TELL)
        code, _out, told = study("run", "toy", "--language", "en,zh")
        assert code == 1
        assert told.count("failed: 10_tell") == 1
        base = project.root / "reports" / "toy"
        states = {
            c: json.loads((base / c / "manifest.json").read_text(encoding="utf-8"))["notebooks"][
                "10_tell"
            ]
            for c in LANGUAGES
        }
        assert states["en"]["status"] == "made"
        assert states["zh"]["status"] == "failed"
        assert "only in English" in states["zh"]["failure"]["message"]

    @pytest.mark.slow
    def test_the_second_reading_finds_no_names_of_the_first(self, project, study):
        project.notebook("10_tell", "assert 'found' not in dir()", BEGIN, "found = 1", TELL)
        assert study("run", "toy", "--language", "en,zh")[0] == 0

    @pytest.mark.slow
    def test_a_notebook_that_ends_early_ends_early_in_both(self, project, study):
        stop = 'from helpers.lesson import begin\nlesson = begin(study, language, needs=["matrix"])'
        project.notebook("10_tell", stop, "raise ValueError('not reached')")
        assert study("run", "toy", "--language", "en,zh")[0] == 0

    @pytest.mark.slow
    def test_a_first_cell_that_does_more_than_begin_is_read_again_as_well(self, project, study):
        stop = 'from helpers.lesson import begin\nlesson = begin(study, language, needs=["matrix"])'
        project.notebook("10_tell", stop + "\nnames = dict(a=study)", "raise ValueError('no')")
        assert study("run", "toy", "--language", "en,zh")[0] == 0
        page = (project.root / "reports" / "toy" / "zh" / "10_tell.html").read_text("utf-8")
        assert "本笔记不适用于该研究" in page

    @pytest.mark.slow
    def test_the_stored_notebook_is_of_its_language_alone(self, project, study):
        project.notebook("10_tell", BEGIN, TELL)
        assert study("run", "toy", "--language", "zh,en")[0] == 0
        for code in LANGUAGES:
            path = project.root / "reports" / "toy" / code / "notebooks" / "10_tell.ipynb"
            notebook = nbformat.read(path, as_version=4)
            assert KEY not in notebook.metadata
            assert not any(KEY in cell.metadata for cell in notebook.cells)
            assert f'language = "{code}"' in "".join(c.source for c in notebook.cells)

    def test_an_unknown_language_is_refused(self, project, study):
        project.notebook("10_tell", BEGIN)
        code, _out, told = study("run", "toy", "--language", "en,fr")
        assert code == 2
        assert "language= is 'fr'" in told


def compare(path, name):
    """Run a notebook in English and in Chinese; each must give both as the other does."""
    done = {}
    with Kernels() as kernels:
        for language in LANGUAGES:
            given = {"study": name, "language": language}
            done[language] = execute(path, parameters=given, kernels=kernels, cwd=ROOT)
    for language in LANGUAGES:
        own = shown(done[language], language, path.stem)
        for first in LANGUAGES:
            assert_alike(shown(done[first], language, path.stem), own)


@pytest.mark.slow
@pytest.mark.parametrize("number", ["50"])
def test_the_second_reading_equals_a_fresh_run(number):
    (path,) = [p for p in NOTEBOOKS if p.name.startswith(number)]
    compare(path, "ecsi_mobile")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("22", "online_shopping"),
        ("34", "online_shopping"),
        ("62", "online_shopping"),
        ("72", "online_shopping"),
        ("52", "maxham_netemeyer_2003"),
    ],
)
def test_some_second_readings_equal_fresh_runs(number, name):
    (path,) = [p for p in NOTEBOOKS if p.name.startswith(number)]
    compare(path, name)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", list_studies())
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_second_reading_equals_a_fresh_run(path, name):
    compare(path, name)
