"""Kano's classes of service attributes, their shares, and how firmly each class is held."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from helpers.errors import DataContractError, check_level, listing
from helpers.memo import remembered
from helpers.survey.intervals import wilson_interval
from helpers.thresholds import LEVEL, THRESHOLDS

Array = NDArray[np.float64]

LETTERS = ("M", "O", "A", "I", "R", "Q")
"""Must-be, one-dimensional, attractive, indifferent, reverse, questionable: in the order by which
ties are settled, what annoys by its absence first (Berger et al. 1993)."""
EVALUATION = ("QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ")
"""Rows: answer to the functional question (like, must be so, do not mind, can live with, dislike);
columns: answer to the dysfunctional one, in the same order."""
FUNCTIONAL = (4.0, 2.0, 0.0, -1.0, -2.0)
DYSFUNCTIONAL = (-2.0, -1.0, 0.0, 2.0, 4.0)
"""DuMouchel's values of the five answers (Berger et al. 1993)."""
LEAST = 10
DRAWS = 5000


def kano_letters(functional: pd.Series, dysfunctional: pd.Series, answers: Sequence[int]) -> Array:
    """Return the class of each pair of answers as its place in ``LETTERS``, NaN for half a pair.

    Parameters
    ----------
    functional, dysfunctional : Series, shape (n,)
        "How would you feel if the shop offered this" and "did not offer this".
    answers : five int
        Codes of like, must be so, do not mind, can live with, dislike.

    Raises
    ------
    DataContractError
        An answer that is none of the five codes.
    """
    places = [_places(side, answers) for side in (functional, dysfunctional)]
    whole = ~(np.isnan(places[0]) | np.isnan(places[1]))
    table = np.array([[LETTERS.index(letter) for letter in row] for row in EVALUATION], dtype=float)
    found = np.full(len(whole), np.nan)
    rows, columns = (place[whole].astype(int) for place in places)
    found[whole] = table[rows, columns]
    return found


def _places(values: pd.Series, answers: Sequence[int]) -> Array:
    """Return answers as 0 (like) to 4 (dislike)."""
    found = values.map({float(code): float(i) for i, code in enumerate(answers)})
    strange = values[found.isna() & values.notna()].unique()
    if len(strange):
        raise DataContractError(
            f"kano_letters: answers= are {listing(answers)}, '{values.name}' holds "
            f"{listing(strange)}; only the five codes are allowed. Correct service.kano.answers."
        )
    return found.to_numpy(dtype=float)


@remembered
def kano_classes(
    data: pd.DataFrame,
    pairs: Sequence[tuple[str, str, str]],
    *,
    answers: Sequence[int] = (1, 2, 3, 4, 5),
    n_boot: int = DRAWS,
    seed: int = 20261121,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Classify service attributes by pairs of questions.

    Parameters
    ----------
    data : DataFrame
        One row a respondent. A pair with one side blank counts for no class and is counted.
    pairs : sequence of (code, functional column, dysfunctional column)
    answers : five int
        See ``kano_letters``.
    n_boot, seed : int
        Respondents drawn with replacement; for one attribute that is a multinomial draw of its
        counts.
    level : float

    Returns
    -------
    DataFrame
        One row an attribute: code; ``M O A I R Q`` (numbers); n_used, n_half (one side blank),
        n_blank; modal, second (letters), tied; strength (share of the modal class less that of the
        second), strength_low, strength_high (``strength_interval``); total (share of M, O and A);
        fong_bound (smallest difference of the two numbers that Fong's test calls clear),
        fong_clear; stable (share of draws with the same modal class); better, better_low,
        better_high, worse, worse_low, worse_high (Wilson; worse is negative); functional,
        functional_low, functional_high, dysfunctional and its ends (means of DuMouchel's values,
        Student).

    Raises
    ------
    DataContractError
        No pairs, a column that is not there, a strange code, or fewer than ten whole pairs.

    Notes
    -----
    ``Better = (A + O) / (A + O + M + I)``, ``Worse = -(O + M) / (A + O + M + I)`` (Berger et al.
    1993). Fong's test (1996) asks whether ``a - b`` exceeds ``1.65 sqrt((a + b)(2N - a - b) / 2N)``
    for the two largest numbers; it takes them for independent, though they are of one sample, and
    is therefore too easily passed: ``var(a - b) = N (p + q - (p - q)^2)`` is larger. Both look at
    the two classes that happened to come first, which flatters the first. Checked by
    hand, against R (tests/reference/kano.R) and against planted shares.
    """
    check_level(level, "kano_classes")
    names = [name for _code, *sides in pairs for name in sides]
    absent = [name for name in names if name not in data.columns]
    if absent or not pairs or len(answers) != 5:
        raise DataContractError(
            f"kano_classes: pairs= are {len(pairs)}, columns that data= lacks: "
            f"{listing(absent) or 'none'}, answers= {len(answers)} codes; pairs of columns and "
            "five codes are needed. Correct service.kano in study.yml."
        )
    rng = np.random.default_rng(seed)
    rows = [
        _attribute(code, data[good], data[bad], answers, rng, n_boot, level)
        for code, good, bad in pairs
    ]
    return pd.DataFrame(rows)


def whole_pairs(functional: pd.Series, dysfunctional: pd.Series) -> int:
    """Return how many people answered both questions."""
    return int((functional.notna() & dysfunctional.notna()).sum())


def _attribute(
    code: str, good: pd.Series, bad: pd.Series, answers: Sequence[int],
    rng: np.random.Generator, n_boot: int, level: float,
) -> dict[str, object]:  # fmt: skip
    """Return everything about one attribute."""
    letters = kano_letters(good, bad, answers)
    whole = ~np.isnan(letters)
    n = int(whole.sum())
    if n < LEAST:
        raise DataContractError(
            f"kano_classes: data= has {n} whole pairs for '{code}'; at least {LEAST} are needed. "
            "Leave the attribute out."
        )
    counts = np.bincount(letters[whole].astype(int), minlength=len(LETTERS))
    blank = good.isna() & bad.isna()
    row: dict[str, object] = {"code": code, **dict(zip(LETTERS, counts.tolist(), strict=True))}
    row |= {"n_used": n, "n_half": int(len(whole) - n - blank.sum()), "n_blank": int(blank.sum())}
    row |= modal_class(counts, level=level)
    drawn = rng.multinomial(n, counts / n, size=n_boot)
    row["stable"] = float((drawn.argmax(axis=1) == LETTERS.index(str(row["modal"]))).mean())
    row |= better_worse(counts, level=level)
    sides = (("functional", good, FUNCTIONAL), ("dysfunctional", bad, DYSFUNCTIONAL))
    for name, answered, values in sides:
        places = _places(answered, answers)[whole].astype(int)
        row |= _mean_of(name, np.asarray(values)[places], level)
    return row


def modal_class(counts: Array, *, level: float = LEVEL) -> dict[str, object]:
    """Return the most frequent class and how far it lies before the second.

    Parameters
    ----------
    counts : ndarray, shape (6,)
        Numbers in the order of ``LETTERS``.
    """
    check_level(level, "modal_class")
    order = np.argsort(-counts, kind="stable")  # ties: in the order of LETTERS
    n, a, b = float(counts.sum()), float(counts[order[0]]), float(counts[order[1]])
    bound = THRESHOLDS["fong_z"].value * np.sqrt((a + b) * (2 * n - a - b) / (2 * n))
    low, high = strength_interval(int(a), int(b), int(n), level=level)
    return {
        "modal": LETTERS[order[0]], "second": LETTERS[order[1]], "tied": a == b,
        "strength": (a - b) / n, "strength_low": low, "strength_high": high,
        "total": float(counts[:3].sum()) / n, "fong_bound": float(bound),
        "fong_clear": bool(a - b >= bound),
    }  # fmt: skip


def strength_interval(
    first: int, second: int, n: int, *, level: float = LEVEL
) -> tuple[float, float]:
    """Return the score interval of the difference of two shares of one sample.

    The ends are the differences ``d`` that a score test would just not reject: ``(a - b - n d) /
    sqrt(n (2 q + d (1 - d)))`` with ``q`` the likeliest share of the second class given ``d``. It
    stays within -1 and 1 and has a width where all answers are of one class, which Wald's interval
    does not.

    Parameters
    ----------
    first, second, n : int
        Numbers in both classes, and of all.

    Notes
    -----
    Tango (1998), doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B, for the two
    discordant cells of paired answers. Checked against R ``uniroot`` on the same equation
    (tests/reference/kano.R) and, for ``second = 0 = n - first``, by hand: ``(n - z²) / (n + z²)``.

    Examples
    --------
    >>> [round(x, 3) for x in strength_interval(40, 30, 100)]
    [-0.064, 0.258]
    """
    check_level(level, "strength_interval")
    z, found = float(stats.norm.ppf(0.5 + level / 2)), (first - second) / n

    def score(d: float) -> float:
        linear = (2 * n - first + second) * d - first - second
        root = math.sqrt(linear**2 + 8 * n * second * d * (1 - d))
        q = (root - linear) / (4 * n)
        return (first - second - n * d) / math.sqrt(max(n * (2 * q + d * (1 - d)), 1e-300))

    low = -1.0 if second == n else brentq(lambda d: score(d) - z, -1 + 1e-12, found, xtol=1e-12)
    high = 1.0 if first == n else brentq(lambda d: score(d) + z, found, 1 - 1e-12, xtol=1e-12)
    return float(low), float(high)


def better_worse(counts: Array, *, level: float = LEVEL) -> dict[str, float]:
    """Return Better and Worse with Wilson's intervals; NaN where all are reverse or questionable.

    Parameters
    ----------
    counts : ndarray, shape (6,)
        Numbers in the order of ``LETTERS``.
    """
    m, o, a, i = (int(x) for x in counts[:4])
    base = m + o + a + i
    if base == 0:
        return dict.fromkeys(
            [f"{name}{end}" for name in ("better", "worse") for end in ("", "_low", "_high")],
            float("nan"),
        )
    up, down = (wilson_interval(hits, base, level=level) for hits in (a + o, o + m))
    return {
        "better": (a + o) / base, "better_low": up[0], "better_high": up[1],
        "worse": -(o + m) / base, "worse_low": -down[1], "worse_high": -down[0],
    }  # fmt: skip


def _mean_of(name: str, values: Array, level: float) -> dict[str, float]:
    """Return a mean with Student's interval."""
    n = len(values)
    half = float(stats.t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
    mean = float(values.mean())
    return {name: mean, f"{name}_low": mean - half, f"{name}_high": mean + half}


def quarter(functional: float, dysfunctional: float) -> str:
    """Return the class of the quarter in which the mean values lie; none beyond the four.

    The quarters are parted at 2. On the line the evaluation table decides: "must be so" beside
    "dislike" (2 and 4) is a must-be, "like" beside "can live with" (4 and 2) attractive, and 2
    beside 2 indifferent. A mean below -1 is nearer to "dislike" what is offered, or to "like" its
    absence, than any of the four classes is.

    Examples
    --------
    >>> [quarter(2.0, 4.0), quarter(4.0, 2.0), quarter(2.0, 2.0), quarter(-2.0, -2.0)]
    ['M', 'A', 'I', '']
    """
    middle, least = 2.0, -1.0
    if min(functional, dysfunctional) < least:
        return ""
    if functional > middle:
        return "O" if dysfunctional > middle else "A"
    return "M" if dysfunctional > middle else "I"
