"""Write the small generated data sets behind some lavaan reference numbers.

Run ``python tests/reference/sem_data.py`` from the project root.  Both files are SIMULATED with the
seeds below; their only use is to have the same bytes in R and in Python.

``sem_survey.csv.gz``
    500 rows, three groups of unequal size, eleven skewed items of three latents (``c1-c4 s1-s4
    l1-l3``), two covariates.  Reference cases cut the items into categories or blank cells by a
    rule that R and Python both know (see ``sem_tools.R`` and ``tests/sem/conftest.py``).
``sem_growth.csv.gz``
    300 rows, four equally spaced measurements with a random line, one covariate.
"""

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
SURVEY_SEED, GROWTH_SEED = 20250311, 20250312
ITEMS = {
    "comp": ["c1", "c2", "c3", "c4"],
    "sat": ["s1", "s2", "s3", "s4"],
    "loy": ["l1", "l2", "l3"],
}
LOADINGS = {"comp": [0.8, 0.7, 0.9, 0.6], "sat": [0.9, 0.8, 0.7, 0.8], "loy": [0.8, 0.9, 0.6]}


def _survey_group(rng: np.random.Generator, n: int, label: str, shift: float) -> pd.DataFrame:
    """Draw one group: a chain of three latents with two covariates and chi-square noise."""
    age, male = rng.integers(18, 70, n), rng.integers(0, 2, n)
    comp = shift + 0.01 * (age - 40) + rng.normal(size=n)
    sat = 0.5 * comp - 0.2 * male + rng.normal(0, 0.8, n)
    loy = 0.6 * sat + 0.2 * comp + rng.normal(0, 0.7, n)
    columns: dict[str, object] = {"platform": label, "age": age, "male": male}
    for name, values in {"comp": comp, "sat": sat, "loy": loy}.items():
        for loading, item in zip(LOADINGS[name], ITEMS[name], strict=True):
            noise = 0.6 * rng.normal(size=n) + 0.3 * (rng.chisquare(2, n) - 2)
            columns[item] = np.round(4 + loading * values + noise, 2)
    return pd.DataFrame(columns)


def survey() -> pd.DataFrame:
    """Return the survey-like table, rows of the groups mixed."""
    rng = np.random.default_rng(SURVEY_SEED)
    sizes = {"B": (220, 0.0), "A": (160, 0.3), "C": (120, -0.2)}
    parts = [_survey_group(rng, n, label, shift) for label, (n, shift) in sizes.items()]
    table = pd.concat(parts, ignore_index=True)
    return table.iloc[rng.permutation(len(table))].reset_index(drop=True)


def growth() -> pd.DataFrame:
    """Return four waves with random intercept and slope, both related to ``z``."""
    rng = np.random.default_rng(GROWTH_SEED)
    z = rng.normal(size=300)
    level = 5 + 0.5 * z + rng.normal(0, 1.0, 300)
    slope = 0.4 + 0.2 * z + rng.normal(0, 0.4, 300)
    waves = {
        f"t{k + 1}": np.round(level + k * slope + rng.normal(0, 0.7, 300), 3) for k in range(4)
    }
    return pd.DataFrame({**waves, "z": np.round(z, 3)})


if __name__ == "__main__":
    how = {"method": "gzip", "mtime": 0}
    survey().to_csv(HERE / "sem_survey.csv.gz", index=False, compression=how)
    growth().to_csv(HERE / "sem_growth.csv.gz", index=False, compression=how)
