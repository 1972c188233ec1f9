"""Reference numbers of R and the data behind them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

REFERENCE = Path(__file__).parents[1] / "reference"
SHARED = Path(__file__).parents[3] / "shared"
REAL = ("bfi", "bank_satisfaction", "ecsi_mobi", "corp_reputation")


def read_real(name: str) -> pd.DataFrame:
    """Return a real data set as the R script prepares it, or skip."""
    files = {
        "ecsi_mobi": "mobi",
        "corp_reputation": "corp_rep_data",
        "influencer": "influencer_data",
        "univer_orientation_services": "univer",
    }
    path = SHARED / "realdata" / name / f"{files.get(name, name)}.csv"
    if not path.is_file():
        pytest.skip("the real data sets are not on this machine")
    data = pd.read_csv(path)
    if name == "bfi":
        turned = ["A1", "C4", "C5", "E1", "E2", "O2", "O5"]
        data[turned] = 7 - data[turned]
    return data.replace(-99, np.nan) if name == "corp_reputation" else data


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], pd.DataFrame]:
    """Return the reader of real data sets; it skips the test where they are absent."""
    return read_real


@pytest.fixture(scope="session")
def answers() -> pd.DataFrame:
    """Return the small simulated items."""
    return pd.read_csv(REFERENCE / "psych_items.csv")


@pytest.fixture(scope="session", params=["items", *REAL])
def case(request: pytest.FixtureRequest) -> tuple[pd.DataFrame, dict]:
    """Return one data set with its reference numbers."""
    if request.param == "items":
        data, file = pd.read_csv(REFERENCE / "psych_items.csv"), "psych.json"
    else:
        data, file = read_real(request.param), "psych_real.json"
    return data, json.loads((REFERENCE / file).read_text(encoding="utf-8"))[request.param]


@pytest.fixture(scope="session", params=["cont", "likert"])
def survey(request: pytest.FixtureRequest) -> tuple[pd.DataFrame, dict, dict]:
    """Return a survey of the engine references with psych's and semTools' numbers, or skip."""
    folder = SHARED / "engines"
    if not (folder / "reference.json").is_file():
        pytest.skip("the engine references are not on this machine")
    whole = json.loads((folder / "reference.json").read_text(encoding="utf-8"))
    data = pd.read_csv(folder / "data" / f"{request.param}.csv")
    return data, whole[f"psych_{request.param}"], whole[f"semtools_{request.param}"]
