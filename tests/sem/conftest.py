"""Data behind the lavaan reference cases, and one fit per case however many tests read it.

``case_data`` repeats, step for step, what ``tests/reference/sem_tools.R`` does to the same files.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

REFERENCE = Path(__file__).parents[1] / "reference"
SHARED = Path(__file__).parents[3] / "shared"


@cache
def read_reference() -> tuple[dict[str, Any], ...]:
    """Read all lavaan cases and differences; the first entry of each file is its versions."""
    found: list[dict[str, Any]] = []
    for name in ("sem_ml", "sem_groups", "sem_missing", "sem_ordinal", "sem_more"):
        found += json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))[1:]
    for case in found:
        case["ordinal"] = "ordered" in (case.get("options") or {})
    return tuple(found)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the argument ``case`` on every case that stores what the test needs.

    A module says in ``NEEDS`` which entry of a case each of its tests reads.
    """
    if "case" in metafunc.fixturenames:
        key = metafunc.module.NEEDS[metafunc.function.__name__]
        found = [c for c in read_reference() if "id" in c and c.get(key)]
        metafunc.parametrize("case", [pytest.param(c, id=c["id"]) for c in found])
    elif "difference" in metafunc.fixturenames:
        found = [c for c in read_reference() if c.get("pvalue") not in (None, "NA")]
        ids = [f"{c['difference'][0]}-{c['difference'][1]}-{c['method']}" for c in found]
        metafunc.parametrize("difference", found, ids=ids)


@cache
def read_source(source: str) -> pd.DataFrame:
    """Read a data set by the name it has in the reference cases; skip where it is absent."""
    kind, _, name = source.partition(":")
    if kind == "holzinger":
        from semopy.examples import holzinger39

        return holzinger39.get_data().reset_index(drop=True)
    if kind == "democracy":
        from semopy.examples import political_democracy

        return political_democracy.get_data().reset_index(drop=True)
    path = REFERENCE / name if kind == "file" else SHARED / "realdata" / name
    if not path.exists():
        pytest.skip(f"the data file {name} is not part of the project")
    return pd.read_csv(path)


def blank_cells(data: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Blank about one cell in eight by a fixed rule over row and column numbers from 1."""
    row = np.arange(1, len(data) + 1)
    out = data.copy()
    for j, column in enumerate(columns, start=1):
        hit = (3 * row**2 + 5 * j**2 + 7 * row * j) % 17 < 2
        out[column] = out[column].astype(float).mask(hit)
    return out


def cut_items(data: pd.DataFrame, columns: list[str], breaks: list[float]) -> pd.DataFrame:
    """Turn numbers into categories 1, 2, ...: one more than the breaks strictly below."""
    out = data.copy()
    for column in columns:
        codes = 1.0 + np.searchsorted(np.asarray(breaks), out[column].to_numpy(), side="left")
        out[column] = np.where(out[column].isna(), np.nan, codes)
    return out


def make_case_data(recipe: dict[str, Any]) -> pd.DataFrame:
    """Build the data of one reference case from its recipe."""
    data = read_source(recipe["source"])
    if "missing_code" in recipe:
        data = data.replace(recipe["missing_code"], np.nan)
    for step in recipe.get("cut", []):
        data = cut_items(data, step["columns"], step["breaks"])
    if "blank" in recipe:
        data = blank_cells(data, recipe["blank"])
    return data


def fit_arguments(case: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of ``fit`` for one case, moments as labelled frames."""
    options = dict(case.get("options") or {})
    options.setdefault("fixed_x", True)  # as sem_tools.R: lavaan's default depends on the estimator
    if "sample_cov" in options:
        moments = options["sample_cov"]
        names = moments["names"]
        options["sample_cov"] = pd.DataFrame(moments["values"], index=names, columns=names)
        if "sample_mean" in options:
            options["sample_mean"] = pd.Series(options["sample_mean"], index=names)
    else:
        options["data"] = make_case_data(case["data"])
    return options


@cache
def fit_case(text: str) -> Any:
    """Fit one case, given as JSON text so that the result can be kept."""
    from helpers.sem import fit

    case = json.loads(text)
    return fit(case["model"], **fit_arguments(case))


@pytest.fixture(scope="session")
def case_by_id():
    """Give a function from an id to its reference case."""
    return {c["id"]: c for c in read_reference() if "id" in c}.__getitem__


@pytest.fixture(scope="session")
def fitted():
    """Give a function from a reference case to its fit, computed once."""

    def of(case: dict[str, Any]) -> Any:
        asked = {k: case[k] for k in ("id", "model", "data", "options") if k in case}
        return fit_case(json.dumps(asked))

    return of


@pytest.fixture(scope="session")
def holzinger() -> pd.DataFrame:
    """Nine ability tests of 301 pupils in two schools (shipped with semopy)."""
    return read_source("holzinger").copy()


@pytest.fixture(scope="session")
def shared_engines() -> Path:
    """Folder with the survey-sized reference outputs; skip where it is absent."""
    folder = SHARED / "engines"
    if not (folder / "reference.json").exists():
        pytest.skip("the survey-sized reference outputs are not part of the project")
    return folder
