"""Complaint cases: generated texts, and the codes that two coders gave them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.survey.simulate import texts
from helpers.survey.simulate.draws import Draws, steps
from helpers.survey.simulate.main_file import Main
from helpers.survey.simulate.modules import honest
from helpers.survey.simulate.population import Population


def make_cases(population: Population, main: Main, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the coded cases, and their true classes (for tests only)."""
    spec = population["modules"]["cases"]
    draws = Draws(seed, "cases")
    people = honest(main)
    people = people[np.sort(draws.order(len(people))[: spec["number"]])]
    n = len(people)
    latents = main.latents.iloc[people]
    failure = main.persons["FTYPE"].to_numpy()[people]
    severity = steps(latents["SEV"].to_numpy(), spec["severity_thresholds"])
    tone = steps(latents["NEG"].to_numpy(), spec["tone_thresholds"])
    language = np.where(draws.chance(spec["english"], n), texts.ENGLISH, texts.CHINESE)
    words = texts.complaints(language, failure, severity, tone, seed)
    hostile = draws.order(n)[: spec["hostile"]]
    cases = {
        "respondent_id": main.metadata["ResponseId"].to_numpy()[people],
        "CA_ID": [f"C{k:03d}" for k in range(1, n + 1)],
        "CA_LANG": language,
        "CA_TEXT": texts.with_hostile(words, hostile),
    }
    for coder in (0, 1):
        cases[f"CA_TYPE{coder + 1}"] = _coded(failure, 5, spec["type_accuracy"][coder], draws)
        noise = spec["severity_noise"][coder] * draws.normal(n)
        cases[f"CA_SEV{coder + 1}"] = np.clip(
            np.floor(np.round(severity + noise, 9) + 0.5), 1, 4
        ).astype(int)
        cases[f"CA_TONE{coder + 1}"] = _coded(tone, 3, spec["tone_accuracy"][coder], draws)
    truth = pd.DataFrame(
        {
            "CA_ID": cases["CA_ID"],
            "type": failure,
            "severity": severity,
            "tone": tone,
            "hostile_text": np.isin(np.arange(n), hostile),
        }
    )
    return pd.DataFrame(cases), truth


def _coded(true: np.ndarray, n_codes: int, accuracy: float, draws: Draws) -> np.ndarray:
    """Return a coder's codes: right with the given chance, else one of the other codes."""
    n = len(true)
    away = draws.integers(1, n_codes - 1, n)
    wrong = (true - 1 + away) % n_codes + 1
    return np.where(draws.chance(accuracy, n), true, wrong)
