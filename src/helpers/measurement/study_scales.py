"""Measurement of a whole study: its scales, their reliability, and the correlations to factor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.errors import Unavailable, check_level
from helpers.i18n import _
from helpers.measurement.reliability import ReliabilityResult, estimate_reliability, feldt_interval
from helpers.measurement.rows import (
    complete_rows,
    constants_text,
    scale_fault,
    without_constants,
)
from helpers.results import CheckResult, Number
from helpers.thresholds import LEVEL, THRESHOLDS

if TYPE_CHECKING:
    from helpers.survey.load import Study

COLUMNS = (
    "construct", "name", "n_items", "n_used", "n_dropped", "alpha", "alpha_low", "alpha_high",
    "standardized_alpha", "omega", "omega_low", "omega_high", "cr", "ave",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StudyReliability:
    """Reliability of every scale of a study.

    Attributes
    ----------
    rows : DataFrame
        One row a scale, columns ``COLUMNS``; a cell can be ``Unavailable``.
    scales : mapping
        Construct code to its ``ReliabilityResult``; empty for a published matrix.
    published : bool
        Whether the values were printed by the source rather than computed from respondents.
    level : float
    """

    rows: pd.DataFrame
    scales: Mapping[str, ReliabilityResult]
    published: bool
    level: float

    def table(self) -> pd.DataFrame:
        """Return one row a scale."""
        return self.rows

    def to_dict(self) -> dict[str, Any]:
        """Return the table and what it rests on."""
        return {"rows": self.rows, "published": self.published, "level": self.level}

    def items(self) -> pd.DataFrame | Unavailable:
        """Return one row an item: its construct, mean, SD, item-rest r, alpha without it."""
        if not self.scales:
            return Unavailable(_("an item table"), _("only scale correlations were published"))
        parts = [
            result.items.assign(construct=code)[["construct", *result.items.columns]]
            for code, result in self.scales.items()
        ]
        return pd.concat(parts, ignore_index=True)

    def lowest(self) -> pd.Series:
        """Return the row of the scale with the lowest alpha."""
        known = self._known()
        return known.loc[known["alpha"].astype(float).idxmin()]

    def text(self) -> str:
        """Return one sentence on the scale with the lowest alpha."""
        row = self.lowest()
        if isinstance(row["alpha_low"], Unavailable):
            return _("The lowest published reliability is {alpha:.2f} ({name}, {k} items).").format(
                alpha=row["alpha"], name=row["name"], k=row["n_items"]
            )
        return _(
            "The lowest alpha is {alpha:.2f} ({level:.0%} interval {low:.2f} to {high:.2f}), that "
            "of {name} ({k} items, n = {n})."
        ).format(
            alpha=row["alpha"],
            level=self.level,
            low=row["alpha_low"],
            high=row["alpha_high"],
            name=row["name"],
            k=row["n_items"],
            n=row["n_used"],
        )

    def range_text(self) -> str:
        """Return one sentence on the scale with the highest alpha."""
        known = self._known()
        top = known.loc[known["alpha"].astype(float).idxmax()]
        return _("The highest is {alpha:.2f}, that of {name} ({k} items).").format(
            alpha=top["alpha"], name=top["name"], k=top["n_items"]
        )

    def numbers(self) -> list[Number]:
        """Return every alpha as a number with its definition."""
        out = []
        for row in self._known().to_dict("records"):
            low, high = (
                None if isinstance(row[key], Unavailable) else float(row[key])
                for key in ("alpha_low", "alpha_high")
            )
            n = row["n_used"]
            out.append(
                Number(
                    id=f"alpha_{row['construct']}",
                    value=float(row["alpha"]),
                    definition="published reliability" if self.published else "raw alpha",
                    ci_low=low,
                    ci_high=high,
                    level=None if low is None else self.level,
                    n_used=None if isinstance(n, Unavailable) else int(n),
                    method="" if low is None else "Feldt interval, listwise",
                )
            )
        return out

    def checks(self) -> tuple[CheckResult, ...]:
        """Hold alpha, AVE and item-rest correlations against their cut-offs."""
        known = self._known()
        alphas = dict(zip(known["name"], known["alpha"].astype(float), strict=True))
        aves = {
            row["name"]: float(row["ave"])
            for row in known.to_dict("records")
            if not isinstance(row["ave"], Unavailable)
        }
        out = [
            extreme_check(_("Alpha of every scale"), "alpha", alphas),
            extreme_check(_("No scale is redundant (alpha)"), "redundant", alphas),
        ]
        if aves:
            out.append(extreme_check(_("AVE of every scale"), "ave", aves))
        items = self.items()
        if not isinstance(items, Unavailable):
            rests = dict(zip(items["item"], items["item_rest"].astype(float), strict=True))
            out.append(extreme_check(_("Item-rest correlation of every item"), "item_rest", rests))
        return tuple(out)

    def _known(self) -> pd.DataFrame:
        """Return the rows whose alpha could be computed."""
        return self.rows[[not isinstance(value, Unavailable) for value in self.rows["alpha"]]]


def extreme_check(name: str, rule_name: str, values: Mapping[str, float]) -> CheckResult:
    """Hold the worst of several values against a cut-off, naming which it is and how many fail."""
    rule = THRESHOLDS[rule_name]
    pick = min if rule.direction == "min" else max
    worst = pick(values, key=lambda key: values[key])
    failing = [key for key, value in values.items() if not rule.holds(value)]
    text = (
        _("The lowest is {value} ({which}); below {cut}: {k} of {of}.")
        if rule.direction == "min"
        else _("The highest is {value} ({which}); above {cut}: {k} of {of}.")
    )
    return CheckResult(
        name=name,
        passed=not failing,
        value=values[worst],
        threshold=rule.value,
        source=rule.source,
        text=text.format(
            value=_two_decimals(values[worst]),
            which=worst,
            k=len(failing),
            of=len(values),
            cut=_two_decimals(rule.value),
        ),
    )


def _two_decimals(value: float) -> str:
    """Write a coefficient that does not pass 1 as tables do: without the leading zero."""
    text = f"{value:.2f}"
    return text[1:] if text.startswith("0.") else text


def scale_blocks(study: Study, *, model: str | None = None) -> dict[str, list[str]]:
    """Return the scales of a study with their items.

    Parameters
    ----------
    study : Study
    model : str, optional
        Name of a model of the study: then the latents of that model with their observed items, if
        the study has it; otherwise every construct with items in the main questionnaire.
    """
    if model is not None and model in study.spec.models:
        return _model_blocks(study.spec.models[model].syntax)
    numeric = study.items["scale"].map(lambda name: study.spec.scales[name].kind) == "likert"
    main = study.items[(study.items["module"] == "main") & numeric]
    blocks = {code: main.loc[main["construct"] == code, "item"].tolist() for code in
              study.construct_codes}  # fmt: skip
    return {code: items for code, items in blocks.items() if items}


def _statements(syntax: str) -> list[str]:
    """Return the statements of lavaan syntax: comments gone, continued lines joined.

    A line without an operator continues the one before it, as in lavaan and ``helpers.sem``.
    """
    found: list[str] = []
    for line in re.split(r"[\n;]", syntax):
        text = re.split(r"[#!]", line, maxsplit=1)[0].strip()
        if found and text and not re.search(r"[~=<>]", text):
            found[-1] += f" {text}"
        elif text:
            found.append(text)
    return found


def _model_blocks(syntax: str) -> dict[str, list[str]]:
    """Return latents with observed items from the ``=~`` lines of a model."""
    found: dict[str, list[str]] = {}
    for statement in _statements(syntax):
        left, sign, right = statement.partition("=~")
        if sign:
            terms = [term.split("*")[-1].strip() for term in right.split("+")]
            found.setdefault(left.strip(), []).extend(filter(None, terms))
    return {
        latent: observed
        for latent, terms in found.items()
        if (observed := [term for term in terms if term not in found])
    }


def estimate_study_reliability(study: Study, *, level: float = LEVEL) -> StudyReliability:
    """Estimate the reliability of every scale, each on its own complete rows.

    A scale of one item, with an item that never varies or with fewer than three complete rows is
    listed as ``Unavailable`` with the reason (``scale_fault``); the others are estimated.
    A published matrix gives the reliabilities its source printed, with Feldt intervals where the
    number of respondents is known.
    """
    check_level(level, "estimate_study_reliability")
    if not study.has_rows:
        return _published(study, level)
    scales: dict[str, ReliabilityResult] = {}
    rows = []
    for code, items in scale_blocks(study).items():
        head = {"construct": code, "name": study.construct_name(code), "n_items": len(items)}
        fault = scale_fault(study.responses[items])
        if fault:
            lacking = Unavailable(_("reliability"), fault)
            rows.append({**dict.fromkeys(COLUMNS, lacking), **head})
            continue
        scales[code] = estimate_reliability(study.responses[items], construct=code, level=level)
        rows.append({**scales[code].to_dict(), **head})
    table = pd.DataFrame(rows)[list(COLUMNS)]
    return StudyReliability(table, scales, False, level)


def _published(study: Study, level: float) -> StudyReliability:
    """Return the reliabilities that the source of a matrix printed."""
    matrix = study.matrix
    n = matrix.n
    rows = []
    for code in matrix.names:
        if code not in matrix.reliability:
            continue
        k, alpha = matrix.n_items.get(code), matrix.reliability[code]
        low = high = Unavailable(
            _("an interval"), _("the number of respondents or of items is not known")
        )
        if not isinstance(n, Unavailable) and k:
            low, high = feldt_interval(alpha, n=n, n_items=k, level=level)
        lacking = Unavailable(_("this coefficient"), _("only scale correlations were published"))
        row: dict[str, Any] = dict.fromkeys(COLUMNS, lacking)
        row |= {"construct": code, "name": study.construct_name(code), "n_items": k, "n_used": n}
        rows.append(row | {"alpha": alpha, "alpha_low": low, "alpha_high": high})
    return StudyReliability(pd.DataFrame(rows, columns=list(COLUMNS)), {}, True, level)


@dataclass(frozen=True, slots=True)
class StudyCorrelations:
    """Correlations to be factored.

    Attributes
    ----------
    corr : DataFrame
    blocks : mapping
        Scale to its variables in ``corr``.
    n_used : int or None
        None where a published matrix does not say.
    n_dropped : int
    kind : str
        ``"items"`` (Pearson), ``"polychoric"`` (of items) or ``"scales"`` (published).
    constant : tuple of str
        Items left out because their answers never vary.
    """

    corr: pd.DataFrame
    blocks: Mapping[str, list[str]]
    n_used: int | None
    n_dropped: int
    kind: str
    constant: tuple[str, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return the correlations with the variable's name in the first column."""
        out = self.corr.reset_index(drop=True)
        out.insert(0, "variable", list(self.corr.columns))
        return out

    def text(self) -> str:
        """Return what was correlated, and what was left out."""
        return " ".join(filter(None, (self._basis_text(), constants_text(self.constant))))

    def _basis_text(self) -> str:
        """Return one sentence on the kind of correlations and the rows behind them."""
        if self.kind == "scales":
            return _(
                "The published correlations of {p} scale scores are factored; single items are "
                "not available."
            ).format(p=len(self.corr))
        if self.kind == "polychoric":
            return _(
                "Polychoric correlations of {p} items are factored; {n} respondents answered them "
                "all; left out for a blank: {dropped}. Tests of fit are left out: their "
                "distribution does not hold for such correlations."
            ).format(p=len(self.corr), n=self.n_used, dropped=self.n_dropped)
        return _(
            "Pearson correlations of {p} items are factored; {n} respondents answered them all; "
            "left out for a blank: {dropped}."
        ).format(p=len(self.corr), n=self.n_used, dropped=self.n_dropped)


def study_correlations(study: Study, *, model: str | None = "measurement") -> StudyCorrelations:
    """Return the item correlations of a model's items, or the published scale correlations.

    Items come from the model named, if the study has it, otherwise from every construct; rows with
    a blank among them are dropped listwise and counted. Items whose answers never vary have no
    correlations; they are left out and named. Items that share a construct may be
    ordinal: Pearson correlations are used, and attenuated where categories are few.
    """
    if not study.has_rows:
        matrix = study.matrix
        n = None if isinstance(matrix.n, Unavailable) else int(matrix.n)
        blocks = {name: [name] for name in matrix.names}
        return StudyCorrelations(matrix.corr, blocks, n, 0, "scales")
    blocks, constant = without_constants(study.responses, scale_blocks(study, model=model))
    columns = [item for items in blocks.values() for item in items]
    values, dropped = complete_rows(study.responses[columns], function="study_correlations")
    corr = pd.DataFrame(np.corrcoef(values.T), index=columns, columns=columns)
    return StudyCorrelations(corr, blocks, len(values), dropped, "items", constant)
