"""Contract: a confidence level given in percent is refused, by the same sentence everywhere."""

import ast
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import helpers
from helpers.errors import DataContractError, SuiteError, check_level
from helpers.measurement import coefficient_alpha
from helpers.survey.intervals import wilson_interval

ROOT = Path(helpers.__file__).parent
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
APART = ("simulate",)
"""Rooms for the suite's tests only."""
OWN = {("sem/bootstrap.py", "bootstrap"), ("sem/cutoffs.py", "fit_cutoffs")}
"""Functions that refuse more than ``check_level`` does, by sentences of their own."""
INNER = {"intervals", "quantile", "tested"}
"""Functions that no user calls, with names that are words of the notebooks."""


def exported() -> set[str]:
    """Return the names that rooms hand out, and those that notebooks use."""
    names = set(
        re.findall(r"\w+", "".join(p.read_text("utf-8") for p in NOTEBOOKS.glob("*.ipynb")))
    )
    for path in ROOT.rglob("__init__.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names |= {alias.name for alias in node.names}
    return names


def with_level() -> list[tuple[str, str]]:
    """Return file and name of every function that takes a confidence level from users."""
    found, known = [], exported()
    for path in sorted(ROOT.rglob("*.py")):
        if set(APART) & set(path.relative_to(ROOT).parts):
            continue
        for node in ast.parse(path.read_text("utf-8")).body:
            if not isinstance(node, ast.FunctionDef) or node.name not in known - INNER:
                continue
            arguments = [*node.args.args, *node.args.kwonlyargs]
            takes = any(
                a.arg == "level" and ast.unparse(a.annotation) == "float" for a in arguments
            )
            if takes and f"check_level(level, '{node.name}')" not in ast.unparse(node):
                found.append((path.relative_to(ROOT).as_posix(), node.name))
    return sorted(set(found) - OWN)


def test_every_function_that_takes_a_level_looks_at_it():
    assert with_level() == []  # add check_level(level, "<name of the function>") as first line


@pytest.mark.parametrize("level", [0.95, 0.5, np.float64(0.9), np.float32(0.99)])
def test_shares_pass(level):
    check_level(level, "f")


@pytest.mark.parametrize(
    ("level", "sentence"),
    [
        (95, "f: level= is 95; a share between 0 and 1 is needed, e.g. 0.95. Write 0.95 for 95"),
        (np.int64(90), "level= is 90; .* Write 0.9 for 90 percent"),
        (99.5, "level= is 99.5; .* Write 0.995 for 99.5 percent"),
        (1, "level= is 1; .* Write 0.95 for 95 percent"),
        (0, "level= is 0; a share"),
        (-0.95, "level= is -0.95; a share"),
        (float("nan"), "level= is nan; a share"),
        ("95%", "level= is '95%'; a share"),
        (True, "level= is True; a share"),
        (None, "level= is None; a share"),
    ],
)
def test_everything_else_is_refused(level, sentence):
    with pytest.raises(DataContractError, match=sentence):
        check_level(level, "f")


def test_functions_name_themselves():
    items = pd.DataFrame({"A1": [5, 4, 2, 5, 1], "A2": [4, 4, 1, 5, 2]})
    with pytest.raises(DataContractError, match="^coefficient_alpha: level= is 95; "):
        coefficient_alpha(items, construct="A", level=95)
    with pytest.raises(DataContractError, match="^wilson_interval: level= is 95; "):
        wilson_interval(3, 10, level=95)


def test_models_refuse_percentages_too():
    from helpers.sem import bootstrap, fit
    from helpers.sem.effects import effects

    rng = np.random.default_rng(1)
    x, e = rng.normal(size=(2, 60))
    result = fit("y ~ b*x\nd := 2*b", pd.DataFrame({"x": x, "y": x + e}))
    with pytest.raises(DataContractError, match="^effects: level= is 95; "):
        effects(result, "x", "y", seed=1, level=95)
    with pytest.raises(SuiteError, match="level= is 95"):
        bootstrap(result, n_boot=10, seed=1, level=95)
