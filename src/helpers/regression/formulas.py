"""The formulas F1-F7 of the study with their freer rivals, as data.

A formula names the variables it needs, the columns it says, the columns of its rival, and weights
that it fixes. Where a scale's unit or zero point is arbitrary, the constant stays free.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import DataContractError
from helpers.i18n import _
from helpers.regression.dose import KNOT_QUANTILES, restricted_cubic

ABOVE_MEDIAN = "LOGQ_above_median"
LEAST_KNOTS = 3
"""With two knots a restricted cubic spline is a straight line."""


@dataclass(frozen=True, slots=True)
class Formula:
    """One formula and its rival.

    Attributes
    ----------
    id : str
    says, rival : str
        Both in words, in the language of the run.
    needs : tuple of str
        Constructs and items, the outcome first.
    outcome : callable
        From the table of needs to the outcome.
    stated, freer : callable
        From the table of needs to the columns; with ``nested``, the stated ones span a subspace of
        the freer ones once ``fixed`` is taken off the outcome.
    fixed : mapping
        Weights that the formula fixes, by variable; their sum is taken off the outcome.
    counts : bool
        Poisson regression with a log link in place of least squares.
    bounds : mapping
        Ends between which the formula says a weight lies, by variable.
    nested : bool
        Whether the formula is the rival with constraints, so that a test of them exists.
    """

    id: str
    says: str
    rival: str
    needs: tuple[str, ...]
    outcome: Callable[[pd.DataFrame], pd.Series]
    stated: Callable[[pd.DataFrame], pd.DataFrame]
    freer: Callable[[pd.DataFrame], pd.DataFrame]
    fixed: Mapping[str, float] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    counts: bool = False
    nested: bool = True


def formulas() -> tuple[Formula, ...]:
    """Return F1 to F7 with their rivals; F5 and F7 take two rows."""
    return (_f1(), *_f2(), _f3(), _f4(), *_f5(), _f6(), *_f7())


def _columns(*names: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return a function that picks columns."""
    return lambda t: t[list(names)]


def _f1() -> Formula:
    return Formula(
        id="F1",
        says=_("problems rise with the gaps displayed − received and expected − received quality "
               "(the source's formula is cut off)"),
        rival=_("response surface: the three qualities, their squares and products"),
        needs=("NFAIL", "IQ", "EQ", "AQ"),
        # everybody reports at least the one problem that the questionnaire is about
        outcome=lambda t: t["NFAIL"] - 1,
        stated=lambda t: pd.DataFrame({"IQ-AQ": t["IQ"] - t["AQ"], "EQ-AQ": t["EQ"] - t["AQ"]}),
        freer=_surface,
        counts=True,
    )  # fmt: skip


def _surface(t: pd.DataFrame) -> pd.DataFrame:
    """Return the polynomial of second degree in the three qualities, centred at the midpoint."""
    q = t[["IQ", "EQ", "AQ"]] - 4
    return q.assign(
        IQ2=q["IQ"] ** 2, EQ2=q["EQ"] ** 2, AQ2=q["AQ"] ** 2, IQxEQ=q["IQ"] * q["EQ"],
        IQxAQ=q["IQ"] * q["AQ"], EQxAQ=q["EQ"] * q["AQ"],
    )  # fmt: skip


def _f2() -> tuple[Formula, Formula]:
    common: dict[str, Any] = {
        "needs": ("DSAT", "LOGQ"),
        "outcome": lambda t: t["DSAT"],
        "stated": _columns("LOGQ"),
        "says": _("satisfaction rises with logistics quality in a straight line"),
    }
    return (
        Formula(
            id="F2a", rival=_("two lines that meet at the median quality"),
            freer=lambda t: pd.DataFrame(
                {
                    "LOGQ": t["LOGQ"],
                    ABOVE_MEDIAN: np.maximum(t["LOGQ"] - t["LOGQ"].median(), 0),
                }
            ),
            **common,
        ),
        Formula(
            id="F2b", rival=_("restricted cubic spline, at most four knots"),
            freer=lambda t: _spline(t["LOGQ"]),
            **common,
        ),
    )  # fmt: skip


def _spline(x: pd.Series) -> pd.DataFrame:
    """Return a spline's columns under names; heaps of equal answers leave fewer knots."""
    knots = np.unique(np.quantile(x, KNOT_QUANTILES))
    if len(knots) < LEAST_KNOTS:
        raise DataContractError(
            f"fit_formula: data= holds answers of '{x.name}' that are so alike that a spline has "
            f"{len(knots)} different knots; {LEAST_KNOTS} are needed. Leave the formula out."
        )
    basis = restricted_cubic(x, knots)
    names = [str(x.name), *(f"{x.name}'{i}" for i in range(1, basis.shape[1]))]
    return pd.DataFrame(basis, columns=names, index=x.index)


def _f3() -> Formula:
    return Formula(
        id="F3",
        says=_("satisfaction = 0.8 expectation met + 0.6 speed of solution"),
        rival=_("free weights"),
        needs=("PSAT", "EXM5", "SPD5"),
        outcome=lambda t: t["PSAT"],
        stated=_columns(),
        freer=_columns("EXM5", "SPD5"),
        fixed={"EXM5": 0.8, "SPD5": 0.6},
    )


def _f4() -> Formula:
    return Formula(
        id="F4",
        says=_("satisfaction = 0.7 transparency + 0.5 reputation"),
        rival=_("free weights"),
        needs=("HSAT", "TRN5", "REP5"),
        outcome=lambda t: t["HSAT"],
        stated=_columns(),
        freer=_columns("TRN5", "REP5"),
        fixed={"TRN5": 0.7, "REP5": 0.5},
    )


def _f5() -> tuple[Formula, Formula]:
    def crossed(t: pd.DataFrame) -> pd.DataFrame:
        centred = t[["REC", "SEV"]] - t[["REC", "SEV"]].mean()
        return centred.assign(RECxSEV=centred["REC"] * centred["SEV"])

    says = _("{outcome} is linear in recovery and other factors (severity)")
    rival = _("the effect of recovery depends on severity")
    return tuple(
        Formula(
            id=id_, says=says.format(outcome=name), rival=rival, needs=(code, "REC", "SEV"),
            outcome=lambda t, code=code: t[code],
            stated=_columns("REC", "SEV"), freer=crossed,
        )
        for id_, code, name in (("F5a", "RSAT", _("satisfaction")), ("F5b", "LOY", _("loyalty")))
    )  # type: ignore[return-value]  # fmt: skip


def _f6() -> Formula:
    return Formula(
        id="F6",
        says=_("satisfaction = satisfaction before + weight of the recovery, 0 to 1"),
        rival=_("satisfaction before has a free weight"),
        needs=("OSAT", "PRESAT", "RSAT"),
        outcome=lambda t: t["OSAT"],
        stated=_columns("RSAT"),
        freer=_columns("PRESAT", "RSAT"),
        fixed={"PRESAT": 1.0},
        bounds={"RSAT": (0.0, 1.0)},
    )


def _f7() -> tuple[Formula, Formula]:
    def product(t: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"sum": t["OSAT"] * t["TRU"] + t["IMG"]})

    def free(t: pd.DataFrame) -> pd.DataFrame:
        return t[["OSAT", "TRU", "IMG"]].assign(OSATxTRU=t["OSAT"] * t["TRU"])

    common: dict[str, Any] = {
        "says": _("loyalty = satisfaction times trust + brand image (unit and zero point free)"),
        "needs": ("LOY", "OSAT", "TRU", "IMG"),
        "outcome": lambda t: t["LOY"],
        "stated": product,
    }
    return (
        Formula(id="F7a", rival=_("additive: satisfaction + trust + brand image"),
                freer=_columns("OSAT", "TRU", "IMG"), nested=False, **common),
        Formula(id="F7b", rival=_("additive with a free product term"), freer=free, **common),
    )  # fmt: skip
