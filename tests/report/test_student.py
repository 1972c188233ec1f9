"""Contract: student copies hold no solution, check answers, and run before anything is answered."""

import ast
from pathlib import Path

import nbformat
import pytest

from helpers.i18n import in_language
from helpers.report.comments import with_translated_comments
from helpers.report.execute import execute
from helpers.report.harvest import harvest
from helpers.report.kernels import Kernels
from helpers.report.student import student_copy

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def copy_of(path, language="zh", study="online_shopping"):
    notebook = nbformat.read(path, as_version=4)
    with in_language(language):
        given = {"study": study, "language": language}
        return student_copy(notebook, number=path.name[:2], parameters=given)


def code(notebook):
    return [c.source for c in notebook.cells if c.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
class TestEveryCopy:
    def test_holds_no_solution(self, path):
        mine, theirs = nbformat.read(path, as_version=4), copy_of(path)
        for before, after in zip(mine.cells, theirs.cells, strict=True):
            if "solution" in before.metadata.get("tags", []):
                assert after.source.strip(), "a solution cell assigns answer_k"
                for node in ast.parse(after.source).body:
                    assert isinstance(node, ast.Assign)
                    assert ast.literal_eval(node.value) is ...
                assert "solution" not in after.metadata.get("tags", [])

    def test_keeps_every_check(self, path):
        count = "\n".join(code(nbformat.read(path, as_version=4))).count("lesson.check_answer(")
        assert "\n".join(code(copy_of(path))).count("lesson.check_answer(") == count

    def test_is_valid_and_set_to_study_and_language(self, path):
        copy = copy_of(path)
        nbformat.validate(copy)
        assert 'language: str = "zh"  # ' in code(copy)[0]

    def test_has_help_in_chinese(self, path):
        for line in code(copy_of(path))[0].splitlines():
            help_text = line.partition("  # ")[2]
            assert help_text and not help_text.isascii(), f"{path.name}: '{line}' has no Chinese"

    def test_in_english_differs_by_the_solutions_alone(self, path):
        mine, theirs = nbformat.read(path, as_version=4), copy_of(path, language="en")
        for before, after in zip(mine.cells, theirs.cells, strict=True):
            if "solution" not in before.metadata.get("tags", []):
                assert after.source == before.source


def test_comments_in_strings_are_left_alone():
    with in_language("zh"):
        told = with_translated_comments('a: str = "# en or zh"  # en or zh')
    assert told == 'a: str = "# en or zh"  # en 或 zh'


def test_what_is_no_python_is_left_as_it_is():
    assert with_translated_comments("%matplotlib inline\n(") == "%matplotlib inline\n("


def test_a_folder_with_answers_is_not_written_over(tmp_path, study):
    assert study("student", "--only", "00", "--out", str(tmp_path))[0] == 0
    before = (tmp_path / "00_start_here.ipynb").read_bytes()
    status, _out, told = study(
        "student", "--only", "00", "--language", "zh", "--out", str(tmp_path)
    )
    assert status == 2
    assert "nothing was written" in told
    assert (tmp_path / "00_start_here.ipynb").read_bytes() == before


def run(path, folder, *, language, study="online_shopping"):
    """Execute a copy as it is and return what it shows."""
    target = folder / path.name
    target.write_text(nbformat.writes(copy_of(path, language, study)), encoding="utf-8")
    with Kernels() as kernels:
        done = execute(target, parameters={}, kernels=kernels, cwd=ROOT)
    assert done.failure is None
    return harvest(done.notebook, name=path.stem)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_copy_runs_and_says_that_nothing_is_answered(tmp_path, language):
    (path,) = [p for p in NOTEBOOKS if p.name.startswith("50_")]
    found = run(path, tmp_path, language=language, study="ecsi_mobile")
    answers = found.of_kind("answer")
    assert {a["status"] for a in answers} == {"unanswered"}
    assert all(("尚未作答" in a["text"]) == (language == "zh") for a in answers)


@pytest.mark.slow
@pytest.mark.parametrize("number", ["30", "50", "77"])
def test_some_copies_run(tmp_path, number):
    (path,) = [p for p in NOTEBOOKS if p.name.startswith(number)]
    test_every_copy_runs(tmp_path, path)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_copy_runs(tmp_path, path):
    found = run(path, tmp_path, language="zh")
    assert {a["status"] for a in found.of_kind("answer")} <= {"unanswered", "unavailable"}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_the_author_answers_everything_right(path):
    """`make report` holds the same: a wrong answer of the author's fails the page."""
    given = {"study": "online_shopping", "language": "en"}
    with Kernels() as kernels:
        done = execute(path, parameters=given, kernels=kernels, cwd=ROOT)
    assert done.failure is None
    found = harvest(done.notebook, name=path.stem)
    assert [a["id"] for a in found.of_kind("answer") if a["status"] != "right"] == []
