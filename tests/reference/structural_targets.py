"""Find the values behind the planted paths in the metric of the marker items.

Answers are steps of latent variables, so the unstandardised paths of the structural model are a
nonlinear consequence of loadings and thresholds. Here they are computed on a very large simulated
sample of honest, complete answers; the covariance matrix is written for lavaan
(``structural_targets.R``), whose estimates stand in population.yml under ``targets.structural``.
The regressions among scale scores (F5 to F7, H8) are computed on the same samples by least squares
of NumPy and written to ``score_targets.csv``; they stand under ``targets.scores``.

Run: ``python tests/reference/structural_targets.py`` and then ``Rscript
tests/reference/structural_targets.R``.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.paths import data_folder
from helpers.study import read_folder
from helpers.survey.simulate.answers import agreement_items
from helpers.survey.simulate.formula_recovery import score, score_terms
from helpers.survey.simulate.latents import make_latents
from helpers.survey.simulate.people import make_people
from helpers.survey.simulate.population import read_population

SEEDS = range(11, 21)
N = 200_000
HERE = Path(__file__).parent
REGRESSIONS = {
    "satisfaction": ("RSAT", ["REC", "SEV"]),
    "loyalty": ("LOY", ["REC", "PRESAT"]),
    "base": ("OSAT", ["PRESAT", "RSAT"]),
    "product": ("LOY", ["OSAT", "TRU", "OSAT*TRU", "IMG"]),
    "severity": ("RSAT", ["REC", "SEV", "REC*SEV"]),
}
MORE = {"SEV", "PRESAT", "LREP", "LREC", "LPRI", "LTOL", "LFEE"}


def main() -> None:
    """Write the covariance matrix of the structural model's items, and the model."""
    study = read_folder(data_folder() / "online_shopping")
    population = read_population(study.folder / "population.yml")
    syntax = study.spec.models["structural"].syntax
    items = list(dict.fromkeys(re.findall(r"\b[A-Z]+[0-9]\b", syntax)))
    reverse = frozenset(study.items.loc[study.items["reverse"], "item"])
    total = np.zeros((len(items), len(items)))
    found: dict[tuple[str, str], list[float]] = {}
    for seed in SEEDS:
        people = make_people(population, seed, N)
        latents = make_latents(population, people, seed)
        wanted = {re.sub(r"\d", "", item) for item in items} | MORE
        scales = {k: v for k, v in population["measurement"]["scales"].items() if k in wanted}
        answers = agreement_items(
            {**population["measurement"], "scales": scales}, latents, seed, reverse
        )
        keyed = answers.assign(**{i: 8 - answers[i] for i in answers if i in reverse})
        total += np.cov(keyed[items].to_numpy(dtype=float), rowvar=False)
        for name, (outcome, terms) in REGRESSIONS.items():
            x = score_terms(keyed, terms).to_numpy()
            x = np.column_stack([np.ones(len(x)), x])
            b, *_rest = np.linalg.lstsq(x, score(keyed, outcome).to_numpy(), rcond=None)
            for term, value in zip(terms, b[1:], strict=True):
                found.setdefault((name, term), []).append(value)
        print(seed, flush=True)
    cov = pd.DataFrame(total / len(SEEDS), index=items, columns=items)
    cov.to_csv(HERE / "structural_targets_cov.csv", float_format="%.8f")
    rows = [(*key, np.mean(v), np.std(v, ddof=1) / len(v) ** 0.5) for key, v in found.items()]
    scores = pd.DataFrame(rows, columns=["regression", "term", "value", "monte_carlo_se"])
    scores.to_csv(HERE / "score_targets.csv", index=False, float_format="%.6f")
    (HERE / "structural_targets.lav").write_text(syntax, encoding="utf-8")


if __name__ == "__main__":
    main()
