"""Contract: a parameter that names what the study file lacks is told before anything runs."""

import ast
import json
from pathlib import Path

import pytest

from helpers.errors import CodebookError
from helpers.report.batch.settings import read_batch
from helpers.report.study_names import PARTS, unknown_name
from helpers.study import read_folder, study_folder

NAMES = 'study: str = "toy"\nlanguage: str = "en"\nmodel: str = "none"  # a model'
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def named(project):
    """The toy study with one model, and a notebook whose parameter names one."""
    path = project.root / "data" / "toy" / "study.yml"
    model = "models:\n  only: {title: {en: t, zh: t}, syntax: SAT =~ SAT1 + SAT2}\n"
    path.write_text(path.read_text(encoding="utf-8") + model, encoding="utf-8")
    project.notebook("10_work", "1", parameters=NAMES)
    return project


@pytest.mark.parametrize(
    "keys",
    ["matrix: {model: [only, onyl]}", "parameters: {model: onyl}", "include: [{model: onyl}]"],
)
def test_a_batch_file_is_refused(named, keys):
    path = named.root / "b.yml"
    path.write_text(f"study: toy\n{keys}", encoding="utf-8")
    with pytest.raises(CodebookError) as error:
        read_batch(path)
    assert "'onyl', but study 'toy' has no such model; allowed are only." in str(error.value)
    assert "Did you mean 'only'?" in str(error.value) and "line 2, key" in str(error.value)


@pytest.mark.slow
def test_a_run_is_refused_and_its_own_defaults_are_not(named, study):
    code, _out, err = study("run", "toy", "--set", "model=onyl", "--plain-kernels")
    assert code == 2 and "has no such model; allowed are only." in err
    assert not (named.root / "reports").exists()
    assert study("run", "toy", "--plain-kernels")[0] == 0  # its default, none, is no slip


def test_what_leaves_the_choice_or_names_nothing_is_passed_over():
    folder = read_folder(study_folder("online_shopping"))
    given = {"model": "structural", "group": "", "dose": "HOURS", "hypothesis": "H7", "seed": 1,
             "construct": "all", "lever": "apology", "before": "PRESAT", "module": "followup",
             "regression": "loyalty"}  # fmt: skip
    assert [unknown_name(n, v, folder) for n, v in given.items()] == [""] * len(given)
    assert "no such lever; allowed are timeliness" in unknown_name("lever", "speed", folder)
    assert "no such hypothesis; allowed are H1, H2" in unknown_name("hypothesis", "H99", folder)


def test_every_part_that_a_notebook_needs_by_a_parameter_is_known():
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.JoinedStr) and len(node.values) == 2:
                kind, value = node.values
                if isinstance(kind, ast.Constant) and kind.value.endswith(":"):
                    assert value.value.id in PARTS, f"{path.name}: {ast.unparse(node)}"
