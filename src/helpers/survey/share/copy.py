"""The tables of a shareable copy: answers, marks, codes, and the codebook beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from helpers.errors import DataContractError
from helpers.i18n import _, pick
from helpers.survey.load import Study
from helpers.survey.privacy import least_cell, quasi_identifiers, salted_codes, study_salt
from helpers.survey.share.behind import telling_rows
from helpers.survey.share.coarsen import Coarsened, coarsen

MOST_MISSING_CODES = 3
"""Codes of its own that SPSS lets a variable declare missing."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One column of the copy, as the codebook and the labels of a file describe it."""

    name: str
    item: str
    label: str
    kind: str
    labels: Mapping[int, str]
    missing: Mapping[int, str]
    construct: str = ""
    reverse: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class SharedCopy:
    """A copy of a study that can be given away.

    Attributes
    ----------
    table : DataFrame
        One row a respondent of the analysed sample, sorted by code: ``case``, ``day`` (if times
        are known), quasi-identifiers, answers as asked, ``mark_...``.
    variables : tuple of Variable
        One entry a column of the table.
    coarsened : Coarsened
        What was done to the quasi-identifiers, and how well respondents hide now.
    left_out : tuple of str
        Items that are not in the copy, with the reason.
    """

    table: pd.DataFrame
    variables: tuple[Variable, ...]
    coarsened: Coarsened
    left_out: tuple[tuple[str, str], ...]


def shared_copy(study: Study, *, k: int | None = None) -> SharedCopy:
    """Make the shareable copy of a study, with texts in the current language.

    Respondents are those of the analysed sample. Their ids become salted codes (the salt stays in
    the study's folder ``derived/``); rows are sorted by code, so that the order of arrival is lost.
    Free text is left out, and times are cut to the day. Quasi-identifiers are made coarser until
    each combination belongs to k respondents. Answers are codes as asked: reverse-keyed items are
    not turned, blanks with a declared reason carry its code, and answers outside the scale are
    blank. Items behind a branch on a quasi-identifier are blank where they would tell what it hides
    (``telling_rows``).

    Parameters
    ----------
    study : Study
        An opened study with respondents.
    k : int, optional
        In place of the study's own.

    Raises
    ------
    DataContractError
        The study has no respondents, or ``k`` is below 2.
    """
    if not study.has_rows:
        raise DataContractError(
            f"shared_copy: study= '{study.id}' is a published matrix without respondents; there is "
            "nobody to hide. Share its study.yml."
        )
    least = least_cell(study) if k is None else k
    if least < 2:
        raise DataContractError(f"shared_copy: k= is {least}; at least 2 is needed. Usual is 5.")
    kept = study.cleaned.kept
    answers = study.intake.answers[kept].reset_index(drop=True)
    hidden = [q for q in quasi_identifiers(study) if q in answers]
    scales = {item: study.scale_of(item) for item in hidden}
    named = {item: _labels(study, item) for item in hidden}
    coarse = coarsen(answers[hidden], scales, named, k=least)
    codes, missing = _with_missing_codes(study, answers, hidden)
    ids = study.responses["respondent_id"]
    parts: dict[str, pd.Series] = {"case": salted_codes(ids, study_salt(study.folder.folder))}
    variables = [Variable("case", "", _("salted code of the respondent"), "text", {}, {})]
    days = study.responses["started_at"]
    if days.notna().any():
        parts["day"] = days.dt.strftime("%Y-%m-%d")
        variables.append(Variable("day", "", _("day of the answer"), "text", {}, {}))
    left_out = []
    telling = telling_rows(study.folder, answers, coarse.table)
    for row in study.items[study.items["module"] == "main"].itertuples():
        if study.scale_of(row.item).kind == "text":
            left_out.append((row.item, _("free text, or a key")))
            continue
        behind, rows = telling.get(row.item, ("", pd.Series(False, index=answers.index)))
        if rows.all():
            left_out.append((row.item, _told(behind)))
            continue
        for name in _columns(study, row.item, answers):
            values = coarse.table[row.item] if row.item in hidden else codes[name]
            parts[name] = values.mask(rows)
            variables.append(_variable(study, row, name, coarse, missing))
            if behind:
                variables[-1] = replace(variables[-1], note=_told(behind))
    for name, values in study.marks.table.drop(columns="respondent_id").items():
        parts[f"mark_{name}"] = values[kept].reset_index(drop=True).astype(float)
        label = _("mark of the cleaning: {mark}").format(mark=name)
        yes_no = {0: _("no"), 1: _("yes")}
        variables.append(Variable(f"mark_{name}", "", label, "category", yes_no, {}))
    table = pd.DataFrame(parts).sort_values("case", ignore_index=True)
    return SharedCopy(table, tuple(variables), coarse, tuple(left_out))


def _told(item: str) -> str:
    """Return why an item behind a branch is blank."""
    return _("blank where being asked it would tell {item}, which is hidden").format(item=item)


def _labels(study: Study, item: str) -> dict[int, str]:
    """Return code -> label of an item's scale, in the current language."""
    return {c: pick(t.model_dump()) for c, t in study.scale_of(item).labels.items()}


def _columns(study: Study, item: str, answers: pd.DataFrame) -> list[str]:
    """Return the columns of an item: one, or one a choice."""
    if study.scale_of(item).kind != "multiple":
        return [item]
    return [f"{item}_{c}" for c in study.scale_of(item).labels if f"{item}_{c}" in answers]


def _with_missing_codes(
    study: Study, answers: pd.DataFrame, hidden: list[str]
) -> tuple[pd.DataFrame, dict[str, dict[int, str]]]:
    """Return the answers with declared codes where a blank has a declared reason."""
    codes: dict[str, dict[int, str]] = {}
    out = answers.copy()
    reasons = study.intake.reasons
    kept = study.cleaned.kept
    place = pd.Series(range(int(kept.sum())), index=kept.index[kept])
    for row in study.items[study.items["module"] == "main"].itertuples():
        declared = dict(list(row.missing_codes.items())[:MOST_MISSING_CODES])
        if not declared or row.item in hidden or row.item not in out:
            continue
        codes[row.item] = declared
        for code, reason in declared.items():
            hit = reasons[(reasons["item"] == row.item) & (reasons["reason"] == reason)]["row"]
            at = place.reindex(hit).dropna().astype(int)
            out.loc[at.to_numpy(), row.item] = float(code)
    return out, codes


def _variable(
    study: Study, row: object, name: str, coarse: Coarsened, missing: dict[str, dict[int, str]]
) -> Variable:
    """Return the description of one column of answers."""
    scale = study.scale_of(row.item)
    labels: Mapping[int, str] = _labels(study, row.item)
    label = pick({"en": row.wording_en, "zh": row.wording_zh}) or row.item
    if scale.kind == "multiple":
        chosen = labels[int(name.rpartition("_")[2])]
        label, labels = f"{label} – {chosen}", {0: _("no"), 1: _("yes")}
    note = ""
    if row.item in coarse.labels:
        labels, note = coarse.labels[row.item], coarse.done.get(row.item, "")
    return Variable(
        name, row.item, label, scale.kind, labels, missing.get(row.item, {}),
        row.construct, bool(row.reverse), note,
    )  # fmt: skip
