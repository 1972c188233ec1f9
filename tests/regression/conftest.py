"""Reference numbers of R and the rows behind them."""

import json
from pathlib import Path

import pandas as pd
import pytest

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="session")
def rows() -> pd.DataFrame:
    """Return the small simulated rows."""
    return pd.read_csv(REFERENCE / "regression_rows.csv")


@pytest.fixture(scope="session")
def expected() -> dict:
    """Return the numbers of R."""
    return json.loads((REFERENCE / "regression.json").read_text(encoding="utf-8"))
