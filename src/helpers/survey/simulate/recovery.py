"""Does the analysis find what was planted? Truth, estimate and interval, one row a quantity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.errors import DataContractError, Unavailable, listing
from helpers.i18n import _
from helpers.survey.simulate import estimators
from helpers.survey.simulate.estimators import Estimate
from helpers.survey.simulate.people import NO_RECOVERY
from helpers.survey.simulate.population import Population
from helpers.thresholds import LEVEL

if TYPE_CHECKING:
    from helpers.survey.load import Study

UNCHANGED = 3
"""Middle category of the change in loyalty."""

MAN, WOMAN = 1, 2
NO_ACTION = 4
COLUMNS = (
    "quantity", "where", "estimator", "truth", "estimate", "ci_low", "ci_high", "covered", "n",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One planted quantity and what the data say about it."""

    quantity: str
    where: str
    estimator: str
    truth: float
    estimate: float
    ci_low: float
    ci_high: float
    n: int


def recovery_table(study: Study, *, level: float = LEVEL) -> pd.DataFrame | Unavailable:
    """Set the planted values of tables T1 to T7 beside their estimates from the cleaned data.

    Parameters
    ----------
    study : Study
        A simulated study with the module ``followup``.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame or Unavailable
        Columns ``quantity, where, estimator, truth, estimate, ci_low, ci_high, covered, n``;
        Unavailable for a study that was not simulated.

    Notes
    -----
    Each estimator drops respondents with a blank in its own items. Over many seeds the intervals
    cover as often as their level says: `tests/survey/test_simulate_recovery.py`, slow part.
    """
    population = study.truth
    if isinstance(population, Unavailable):
        return population
    if "tables" not in population:
        return Unavailable(_("the recovery table"), _("the planted truth holds no tables"))
    return recovery_rows(study.responses, study.module("followup"), population, level=level)


def recovery_rows(
    responses: pd.DataFrame,
    followup: pd.DataFrame,
    population: Population,
    *,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return the recovery table from cleaned answers and the follow-up, joined by their id."""
    tables = population["tables"]
    recovered = responses[responses["MEAS"].notna() & (responses["MEAS"] != NO_RECOVERY)]
    rows = [
        *_measures(recovered, tables["T1"], level),
        *_rated(responses, tables, level),
        *_actions(responses, tables["T3"], level),
        *_types(responses, recovered, tables["T4"], level),
        *_before_and_after(responses, recovered, followup, tables["T6"], level),
    ]
    return _table(rows)


def recovery_of_paths(estimates: pd.DataFrame, truth: Mapping[str, Any]) -> pd.DataFrame:
    """Set the planted paths of H1 to H5 beside the estimates of a fitted structural model.

    Parameters
    ----------
    estimates : DataFrame
        Table of a fit of the model ``structural``: columns ``lhs op rhs est ci_low ci_high`` and,
        if there, ``label`` and ``std_all``.
    truth : mapping
        The planted truth; its ``targets.structural`` names hypothesis, planted standardised value
        and value in the metric of the marker items for each path and each product of paths.

    Returns
    -------
    DataFrame
        Columns as in `recovery_table` without ``n``, and ``planted_std`` and ``estimate_std``.
        Coverage is judged in the metric of the marker items, where the interval was computed.

    Raises
    ------
    DataContractError
        A planted path is not among the estimates.
    """
    by_name = {_row_name(row): row for row in estimates.to_dict("records")}
    targets = truth["targets"]["structural"]["paths"]
    lacking = [name for name in targets if name not in by_name]
    if lacking:
        raise DataContractError(
            f"recovery_of_paths: estimates= has no row {listing(lacking)}; a fit of the model "
            "'structural' has them all. Fit that model, with its := rows."
        )
    rows = []
    for name, target in targets.items():
        row = by_name[name]
        low, high, value = row["ci_low"], row["ci_high"], target["value"]
        rows.append(
            {
                "quantity": name,
                "where": target["hypothesis"],
                "estimator": _("path of the structural model, metric of the marker items"),
                "truth": value,
                "estimate": row["est"],
                "ci_low": low,
                "ci_high": high,
                "covered": bool(low <= value <= high),
                "planted_std": target["planted_std"],
                "estimate_std": row.get("std_all", np.nan),
            }
        )
    return pd.DataFrame(rows)


def _row_name(row: Mapping[str, Any]) -> str:
    return row["lhs"] if row["op"] == ":=" else f"{row['lhs']} {row['op']} {row['rhs']}"


def _table(rows: list[Row]) -> pd.DataFrame:
    table = pd.DataFrame([asdict(row) for row in rows])
    table["covered"] = (table["ci_low"] <= table["truth"]) & (table["truth"] <= table["ci_high"])
    return table[list(COLUMNS)]


def _named(group: str, what: str) -> str:
    """Return a quantity's name from its group and what was measured."""
    return _("{group}: {what}").format(group=group, what=what)


def _row(quantity: str, where: str, estimator: str, truth: float, found: Estimate) -> Row:
    return Row(
        quantity, where, estimator, float(truth), found.value, found.low, found.high, found.n
    )


def _measures(recovered: pd.DataFrame, planted: dict, level: float) -> list[Row]:
    """Rows of T1: means by the measure received."""
    names = {1: _("coupon"), 2: _("free replacement"), 3: _("apology only")}
    content = {
        "hours": ("HOURS", _("hours to a solution")),
        "fairness": ("FAIR5", _("fairness (1-5)")),
        "transparency": ("TRN5", _("transparency (1-5)")),
        "satisfaction": ("RS5", _("recovery satisfaction (1-5)")),
    }
    return [
        _row(
            _named(names[code], label), "T1", _("mean of the group"), truth,
            estimators.mean(recovered.loc[recovered["MEAS"] == code, item], level=level),
        )
        for key, (item, label) in content.items()
        for code, truth in planted[key].items()
    ]  # fmt: skip


def _rated(responses: pd.DataFrame, tables: dict, level: float) -> list[Row]:
    """Rows of T2, T5 and T7: means of ratings."""
    strategies = {
        1: _("fast response and apology"), 2: _("free replacement"), 3: _("coupon"),
        4: _("longer warranty"), 5: _("personalised solution"),
    }  # fmt: skip
    failures = {1: _("slow answer"), 2: _("wrong order data"), 3: _("wrong address")}
    ways = {
        1: _("customer-first culture"), 2: _("training"), 3: _("standard process"),
        4: _("case sharing"), 5: _("dedicated team"),
    }  # fmt: skip
    sides = {"satisfaction": ("S", _("satisfaction")), "loyalty": ("L", _("loyalty"))}
    wanted = [
        (f"{name}{letter}{code}", _named(names[code], text.format(side=side)), name, truth)
        for name, names, text in (
            ("T2", strategies, _("effect on {side} (1-5)")),
            ("T5", failures, _("loss of {side} (1-5)")),
        )
        for key, (letter, side) in sides.items()
        for code, truth in tables[name][key].items()
    ]
    importance = _("importance (0-10)")
    wanted += [
        (f"T7_{code}", _named(ways[code], importance), "T7", truth)
        for code, truth in tables["T7"]["importance"].items()
    ]
    return [
        _row(label, where, _("mean rating"), truth, estimators.mean(responses[item], level=level))
        for item, label, where, truth in wanted
    ]


def _actions(responses: pd.DataFrame, planted: dict, level: float) -> list[Row]:
    """Rows of T3: lifts over customers with none of the actions, and word-of-mouth acts."""
    names = {
        1: _("timely response"), 2: _("personalised compensation"),
        3: _("complaint investigated and process improved"),
    }  # fmt: skip
    group = {code: responses[responses["ACT"] == code] for code in (*names, NO_ACTION)}
    rows = []
    for key, item, label in (
        ("satisfaction_lift", "OS5", _("lift of satisfaction")),
        ("loyalty_lift", "LOY10", _("lift of loyalty")),
    ):
        rows += [
            _row(
                _named(names[code], label), "T3", _("ratio of two group means, less 1"), truth,
                estimators.lift(group[code][item], group[NO_ACTION][item], level=level),
            )
            for code, truth in planted[key].items()
        ]  # fmt: skip
    acts = _("word-of-mouth acts")
    return rows + [
        _row(
            _named(names[code], acts), "T3", _("mean of the group"), truth,
            estimators.mean(group[code]["WOMN"], level=level),
        )
        for code, truth in planted["word_of_mouth_acts"].items()
    ]  # fmt: skip


def _types(
    responses: pd.DataFrame, recovered: pd.DataFrame, planted: dict, level: float
) -> list[Row]:
    """Rows of T4: customer types; satisfaction and loyalty of those who had a recovery."""
    names = {1: _("regular"), 2: _("seeking extra information"), 3: _("highly attentive")}
    change = recovered.assign(change=recovered["LCHG"] - UNCHANGED)
    content = [
        ("age", responses, "AGE", _("age in years")),
        ("purchases", responses, "FREQ", _("purchases a month")),
        ("satisfaction", recovered, "RS5", _("recovery satisfaction (1-5)")),
        ("loyalty_change", change, "change", _("change of loyalty (-2 to 2)")),
    ]
    rows = [
        _row(
            _named(names[code], label), "T4", _("mean of the group"), truth,
            estimators.mean(table.loc[table["CTYPE"] == code, item], level=level),
        )
        for key, table, item, label in content
        for code, truth in planted[key].items()
    ]  # fmt: skip
    stated = responses[responses["GENDER"].isin([MAN, WOMAN])]
    men = _("share of men")
    return rows + [
        _row(
            _named(names[code], men), "T4", _("share, Wilson interval"), truth,
            estimators.share(stated.loc[stated["CTYPE"] == code, "GENDER"] == MAN, level=level),
        )
        for code, truth in planted["share_men"].items()
    ]  # fmt: skip


def _before_and_after(
    responses: pd.DataFrame,
    recovered: pd.DataFrame,
    followup: pd.DataFrame,
    planted: dict,
    level: float,
) -> list[Row]:
    """Rows of T6: after against before, and with against without recovery."""
    none = responses[responses["MEAS"] == NO_RECOVERY]
    later = followup[followup["respondent_id"].isin(recovered["respondent_id"])]
    paired = _("ratio of two means of the same persons")
    return [
        _row(
            _("satisfaction after against before the recovery"), "T6", paired,
            planted["satisfaction_ratio"],
            estimators.paired_ratio(recovered["RS5"], recovered["SATB"], level=level),
        ),
        _row(
            _("share whose loyalty rose, with against without recovery"), "T6",
            _("ratio of two shares"), planted["loyalty_ratio"],
            estimators.risk_ratio(
                recovered["LCHG"].dropna() > UNCHANGED, none["LCHG"].dropna() > UNCHANGED,
                level=level,
            ),
        ),
        _row(
            _("purchases in six months, after against before"), "T6", paired,
            planted["purchases_ratio"],
            estimators.paired_ratio(later["FU_POST_N"], later["FU_PRE_N"], level=level),
        ),
        _row(
            _("amount spent in six months, after against before"), "T6", paired,
            planted["amount_ratio"],
            estimators.paired_ratio(later["FU_POST_CNY"], later["FU_PRE_CNY"], level=level),
        ),
    ]  # fmt: skip
