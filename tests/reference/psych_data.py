"""Write the small data sets behind the psych, semTools and base-R reference numbers.

Run ``python tests/reference/psych_data.py`` from the project root.  Both files are SIMULATED with
the seeds below; their only use is to have the same bytes in R and in Python.

``psych_items.csv``
    300 rows, twelve answers on a 1-7 scale to three correlated scales of four items, with a few
    blanks in the first four items.
``regression_rows.csv``
    240 rows: satisfaction, fairness, speed, hours to an answer, age, three failure types, and a
    satisfaction asked twice.
"""

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
ITEM_SEED, ROW_SEED = 20250321, 20250322
LOADINGS = np.array([0.85, 0.80, 0.75, 0.60, 0.90, 0.70, 0.65, 0.80, 0.70, 0.75, 0.80, 0.55])


def items() -> pd.DataFrame:
    """Return answers to three scales of four items."""
    rng = np.random.default_rng(ITEM_SEED)
    phi = np.array([[1.0, 0.5, 0.3], [0.5, 1.0, 0.4], [0.3, 0.4, 1.0]])
    latent = rng.multivariate_normal(np.zeros(3), phi, size=300)[:, np.repeat([0, 1, 2], 4)]
    noise = rng.normal(size=latent.shape) * np.sqrt(1 - LOADINGS**2)
    answers = np.clip(np.round(4.4 + 1.4 * (latent * LOADINGS + noise)), 1, 7)
    table = pd.DataFrame(answers, columns=[f"{s}{i}" for s in "ABC" for i in range(1, 5)])
    for column in ("A1", "A2", "A3", "A4"):
        table.loc[rng.choice(300, size=4, replace=False), column] = np.nan
    return table


def rows() -> pd.DataFrame:
    """Return one row a complaint, with an outcome of known form."""
    rng = np.random.default_rng(ROW_SEED)
    n = 240
    failure = rng.choice(["delay", "error", "payment"], size=n, p=[0.5, 0.3, 0.2])
    hours = np.round(rng.gamma(2.0, 14.0, n) + 1, 1)
    fair, speed = np.round(rng.normal(4.5, 1.2, n), 2), np.round(rng.normal(4, 1.1, n), 2)
    shift = pd.Series(failure).map({"delay": 0.0, "error": -0.5, "payment": 0.6}).to_numpy()
    noise = rng.normal(0, 0.5 + 0.2 * np.abs(fair - 4.5), n)
    sat = 2 + 0.5 * fair + 0.25 * speed - 0.35 * np.log(hours) + 0.1 * fair * speed / 4 + shift
    before = np.round(3.5 + 0.3 * (fair - 4.5) + rng.normal(0, 1, n), 2)
    table = {"sat": np.round(sat + noise, 2), "fair": fair, "speed": speed, "hours": hours}
    return pd.DataFrame(
        {**table, "age": rng.integers(18, 70, n), "failure": failure, "before": before}
    )


if __name__ == "__main__":
    items().to_csv(HERE / "psych_items.csv", index=False)
    rows().to_csv(HERE / "regression_rows.csv", index=False)
