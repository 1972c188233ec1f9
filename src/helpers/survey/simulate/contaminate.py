"""What goes wrong in a real export: careless and unfinished rows, blanks, impossible codes.

Every fault is written down in a table of flags that only tests and recovery checks read.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.survey.simulate.answers import AGREEMENT
from helpers.survey.simulate.draws import Draws
from helpers.survey.simulate.population import Population

KINDS = (
    "no_consent", "screened_out", "unfinished", "speeder", "straight_liner", "inattentive",
)  # fmt: skip
"""Faults of which a row has at most one; a row with none is an honest, finished answer."""

_SHARES = ("no_consent", "screened_out", "unfinished", "speeders", "straight_liners", "inattentive")
SEEN_BUT_BLANK = "-99"
REFUSED = {"GENDER": "9", "INCOME": "98"}
ON_PHONE = 1


def assign_kinds(contamination: dict, n: int, seed: int) -> pd.DataFrame:
    """Return the flags of n rows: one fault at most, numbers exact to rounding."""
    order = Draws(seed, "kinds").order(n)
    kind = np.full(n, "honest", dtype=object)
    start = 0
    for name, share in zip(KINDS, _SHARES, strict=True):
        many = round(contamination[share] * n)
        kind[order[start : start + many]] = name
        start += many
    return pd.DataFrame({"kind": kind})


def spoil(
    answers: pd.DataFrame,
    flags: pd.DataFrame,
    population: Population,
    seed: int,
    checks: dict[str, int],
) -> pd.DataFrame:
    """Return the answers as text cells, with every planted fault; ``flags`` is filled in place.

    Parameters
    ----------
    answers : DataFrame
        Honest answers of all rows, columns in the order of the questionnaire.
    flags : DataFrame
        Column ``kind``; columns for single cells are added.
    population : Population
        Rates of all faults.
    seed : int
        The study's seed.
    checks : dict
        Attention check -> the code that passes.
    """
    spec = population["contamination"]
    agree = _agreement(answers, population)
    table = _careless(answers, flags, spec, agree, seed)
    table = _slips(table, flags, spec, checks, seed)
    cells = table.astype(object).map(_text)
    cells = _out_of_range(cells, flags, spec, agree, seed)
    cells = _blanks(cells, answers, flags, spec, agree, seed)
    return _stopped(cells, flags, seed)


def _agreement(answers: pd.DataFrame, population: Population) -> list[str]:
    scales = population["measurement"]["scales"]
    known = {f"{c}{k}" for c, s in scales.items() for k in range(1, len(s["loadings"]) + 1)}
    return [c for c in answers.columns if c in known or c in ("ATT1", "ATT2")]


def _careless(
    answers: pd.DataFrame, flags: pd.DataFrame, spec: dict, agree: list[str], seed: int
) -> pd.DataFrame:
    """Replace agreement answers of careless rows: at random, or one number all along."""
    draws, out = Draws(seed, "careless"), answers.copy()
    n, k = len(out), len(agree)
    block = out[agree].to_numpy()
    at_random = 1 + np.floor(draws.uniform(n, k) * AGREEMENT).astype(int)
    column = np.arange(k)[None, :] * np.ones((n, 1))
    kind = flags["kind"].to_numpy()
    hurried = np.isin(kind, ["speeder"])[:, None]
    tired = (kind == "inattentive")[:, None] & (column >= k // 2)
    block = np.where(hurried | tired, at_random, block)
    line = np.broadcast_to(draws.choice(spec["straight_lines"], n)[:, None], (n, k))
    out[agree] = np.where((kind == "straight_liner")[:, None], line, block)
    return out


def _slips(
    table: pd.DataFrame, flags: pd.DataFrame, spec: dict, checks: dict[str, int], seed: int
) -> pd.DataFrame:
    """Let inattentive rows fail the last check, and a few careful ones slip."""
    draws, out = Draws(seed, "slips"), table.copy()
    n = len(out)
    last = list(checks)[-1]
    inattentive = (flags["kind"] == "inattentive").to_numpy()
    out.loc[inattentive & (out[last] == checks[last]).to_numpy(), last] = checks[last] + 1
    slipped = np.zeros(n, dtype=bool)
    for item, code in checks.items():
        now = draws.chance(spec["attention_slip"], n) & (flags["kind"] == "honest").to_numpy()
        out.loc[now, item] = code + 1
        slipped |= now
    flags["attention_slip"] = slipped
    flags["failed_check"] = np.any([out[i] != c for i, c in checks.items()], axis=0)
    return out


def _out_of_range(
    cells: pd.DataFrame, flags: pd.DataFrame, spec: dict, agree: list[str], seed: int
) -> pd.DataFrame:
    draws, out = Draws(seed, "out of range"), cells.copy()
    n, k = len(out), len(agree)
    hit = draws.uniform(n, k) < spec["out_of_range"]
    codes = np.array(spec["out_of_range_codes"]).astype(str)
    wrong = codes[np.floor(draws.uniform(n, k) * len(codes)).astype(int)]
    out[agree] = np.where(hit, wrong, out[agree].to_numpy())
    flags["n_out_of_range"] = hit.sum(axis=1)
    rows = draws.order(n)[: spec["impossible_ages"]]
    for place, row in enumerate(rows):
        out.loc[row, "AGE"] = ("3", "199")[place % 2]
    flags["impossible_age"] = np.isin(np.arange(n), rows)
    return out


def _blanks(
    cells: pd.DataFrame,
    answers: pd.DataFrame,
    flags: pd.DataFrame,
    spec: dict,
    agree: list[str],
    seed: int,
) -> pd.DataFrame:
    draws, out = Draws(seed, "blanks"), cells.copy()
    n, k = len(out), len(agree)
    blank = pd.DataFrame(False, index=out.index, columns=out.columns)
    blank[agree] = draws.uniform(n, k) < spec["blank_mcar"]
    flags["n_blank_mcar"] = blank.sum(axis=1)
    decades = (answers["AGE"].to_numpy() - spec["centre_age"]) / 10
    phone = (answers["DEVICE"] == ON_PHONE).to_numpy()
    for item, (intercept, by_age, by_phone) in spec["blank_mar"].items():
        odds = intercept + by_age * decades + by_phone * phone
        blank[item] |= draws.chance(1 / (1 + np.exp(-np.round(odds, 9))), n)
    flags["n_blank_mar"] = blank.sum(axis=1) - flags["n_blank_mcar"]
    coded = draws.uniform(*blank.shape) < spec["blank_coded"]
    cells_now = np.where(blank & coded, SEEN_BUT_BLANK, np.where(blank, "", out.to_numpy()))
    out = pd.DataFrame(cells_now, index=out.index, columns=out.columns)
    out.loc[draws.chance(spec["gender_refused"], n), "GENDER"] = REFUSED["GENDER"]
    out.loc[draws.chance(spec["income_refused"], n), "INCOME"] = REFUSED["INCOME"]
    return out


def _stopped(cells: pd.DataFrame, flags: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Blank what was not reached: after a refusal, a screening answer, or a drop-out."""
    draws, out = Draws(seed, "stopped"), cells.copy()
    n, k = out.shape
    asked = list(out.columns)
    stop = np.full(n, k)
    kind = flags["kind"].to_numpy()
    stop[kind == "no_consent"] = asked.index("CONSENT") + 1
    stop[kind == "screened_out"] = asked.index("SCREEN") + 1
    first = asked.index("SCREEN") + 1
    left = draws.integers(first, k - 1, n)
    stop = np.where(kind == "unfinished", left, stop)
    out.loc[kind == "no_consent", "CONSENT"] = "2"
    out.loc[kind == "screened_out", "SCREEN"] = "2"
    beyond = np.arange(k)[None, :] >= stop[:, None]
    beyond[:, asked.index("PANEL")] = False
    flags["share_reached"] = np.round(stop / k, 3)
    return pd.DataFrame(np.where(beyond, "", out.to_numpy()), columns=out.columns)


def _text(value: object) -> str:
    """Return one cell as text: whole numbers without a point, blanks as nothing."""
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else f"{value:.1f}"
    return str(value)
