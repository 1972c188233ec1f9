"""The questionnaire that a codebook stands for, before any platform's form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import pandas as pd

from helpers.errors import CodebookError, listing
from helpers.i18n import _, language, pick
from helpers.specification import Scale
from helpers.study import StudyFolder

MOST_ROWS = 10
"""Rows of one grid; longer ones are cut between constructs, as they tire on a telephone."""

MOST_ON_A_PAGE = 6
"""Questions outside of grids on one page."""


class Choice(NamedTuple):
    """One answer to choose, with its code."""

    code: int
    text: str


class Row(NamedTuple):
    """One row of a grid."""

    item: str
    text: str


class Condition(NamedTuple):
    """A question is asked only of those who chose one of some codes before."""

    item: str
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One question as respondents see it.

    Attributes
    ----------
    name : str
        The item; for a grid its own name, ``GRID1``, ``GRID2``, ...
    kind : str
        ``single``, ``multiple``, ``grid``, ``number`` or ``text``.
    text : str
        What is asked; for a grid what its rows have in common.
    choices : tuple of Choice
        Answers in the order of their codes; empty for numbers and text.
    rows : tuple of Row
        Rows of a grid.
    low, high : float or None
        Limits of a number.
    unit : str
        Unit of a number, or nothing.
    shown_if : Condition or None
        Who is asked.
    """

    name: str
    kind: Literal["single", "multiple", "grid", "number", "text"]
    text: str
    choices: tuple[Choice, ...] = ()
    rows: tuple[Row, ...] = ()
    low: float | None = None
    high: float | None = None
    unit: str = ""
    shown_if: Condition | None = None

    @property
    def items(self) -> tuple[str, ...]:
        """Return the items of the codebook that the question answers."""
        return tuple(row.item for row in self.rows) or (self.name,)


@dataclass(frozen=True, slots=True)
class Instrument:
    """A questionnaire in one language.

    Attributes
    ----------
    study, title, language : str
        Whose it is.
    welcome, thanks : tuple of str
        Paragraphs of the first page (with the statement on privacy) and of the last.
    pages : tuple of tuple of Question
        Questions by page, in the order of the codebook.
    passed_on : tuple of str
        Items that the platform hands over with the link and nobody is asked.
    gates : tuple of Condition
        Consent and screening question: others are led to the end.
    untranslated : tuple of str
        Items that stand in the other language, because this one lacks their wording.
    """

    study: str
    title: str
    language: str
    welcome: tuple[str, ...]
    pages: tuple[tuple[Question, ...], ...]
    passed_on: tuple[str, ...]
    gates: tuple[Condition, ...]
    thanks: tuple[str, ...]
    untranslated: tuple[str, ...] = ()

    @property
    def questions(self) -> tuple[Question, ...]:
        """Return all questions in order."""
        return tuple(q for page in self.pages for q in page)


def make_instrument(study: StudyFolder, *, module: str = "main") -> Instrument:
    """Make the questionnaire of a study, in the current language.

    Items keep the order of ``items.csv``. Neighbours on one answer scale become a grid; attention
    checks stay where they are, reverse-keyed items keep their wording. Missing codes above zero
    (such as "prefers not to say") become a choice; negative ones belong to the platform.

    Parameters
    ----------
    study : StudyFolder
        Study file and codebook; respondents are not needed.
    module : str
        ``main``, or a further questionnaire of the study.

    Raises
    ------
    CodebookError
        The study has no wordings (a published matrix), or a module of that name does not exist.
    """
    items = study.items[study.items["module"] == module]
    modules = ["main", *study.spec.modules]
    if module not in modules:
        raise CodebookError(
            f"make_instrument: module= '{module}' is not part of '{study.id}'; allowed are "
            f"{listing(modules)}."
        )
    unworded = items.loc[items["wording_en"] + items["wording_zh"] == "", "item"].tolist()
    if items.empty or unworded:
        raise CodebookError(
            f"make_instrument: study= '{study.id}' has no wording for {listing(unworded) or 'any'} "
            "item; every question needs one. Write it into items.csv."
        )
    screening = study.spec.screening
    keys = [m.key for m in study.spec.modules.values() if m.key]
    not_asked = {*screening.duplicate_on, *keys}
    text = items["scale"].map(lambda s: study.spec.scales[s].kind == "text")
    passed_on = tuple(items.loc[text & items["item"].isin(not_asked), "item"])
    asked = items[~items["item"].isin(passed_on)]
    rules = [r for r in (screening.consent, screening.screener) if r is not None]
    gates = tuple(Condition(r.item, tuple(r.accept)) for r in rules if r.item in set(asked["item"]))
    questions = _questions(study, asked)
    return Instrument(
        study=study.id,
        title=study.title,
        language=language(),
        welcome=_welcome(has_consent=bool(gates) and screening.consent is not None),
        pages=_pages(questions, {g.item for g in gates}),
        passed_on=passed_on,
        gates=gates,
        thanks=(_("Thank you for taking part. Your answers have been saved."),),
        untranslated=tuple(asked.loc[asked[f"wording_{language()}"] == "", "item"]),
    )


def _questions(study: StudyFolder, items: pd.DataFrame) -> list[Question]:
    """Return one question an item, neighbours on one scale joined to grids."""
    runs: list[list[pd.Series]] = []
    for _place, row in items.iterrows():
        scale = study.spec.scales[row["scale"]]
        last = runs[-1][-1] if runs else None
        joins = (
            last is not None
            and scale.kind == "likert"
            and row["scale"] == last["scale"]
            and row["shown_if"] == last["shown_if"]
            and row["missing_codes"] == last["missing_codes"]
        )
        if joins:
            runs[-1].append(row)
        else:
            runs.append([row])
    cut = [part for run in runs for part in _cut(run)]
    grids = iter(range(1, len(cut) + 1))
    return [
        _grid(study, run, f"GRID{next(grids)}") if len(run) > 1 else _single(study, run[0])
        for run in cut
    ]


def _cut(run: list[pd.Series]) -> list[list[pd.Series]]:
    """Cut a run of items into grids of at most ``MOST_ROWS``, constructs kept whole."""
    parts: list[list[pd.Series]] = []
    for row in run:
        same = parts and row["construct"] and row["construct"] == parts[-1][-1]["construct"]
        if not same:
            parts.append([])
        parts[-1].append(row)
    grids: list[list[pd.Series]] = []
    for part in parts:
        if grids and len(grids[-1]) + len(part) <= MOST_ROWS:
            grids[-1].extend(part)
        else:
            grids.append(list(part))
    return grids


def _grid(study: StudyFolder, run: list[pd.Series], name: str) -> Question:
    """Return the grid of some items."""
    first = _single(study, run[0])
    rows = tuple(Row(r["item"], _wording(r)) for r in run)
    asked = _("Please choose one answer in each row.")
    return replace(first, name=name, kind="grid", text=asked, rows=rows)


def _single(study: StudyFolder, row: pd.Series) -> Question:
    """Return the question of one item."""
    scale = study.spec.scales[row["scale"]]
    kinds = {"likert": "single", "category": "single"}
    return Question(
        name=row["item"],
        kind=kinds.get(scale.kind, scale.kind),
        text=_wording(row),
        choices=_choices(scale, row["missing_codes"]),
        low=scale.low,
        high=scale.high,
        unit=pick(scale.unit.model_dump()) if scale.unit else "",
        shown_if=_condition(row["shown_if"]),
    )


def _wording(row: pd.Series) -> str:
    """Return an item's wording in the current language."""
    return pick({"en": row["wording_en"], "zh": row["wording_zh"]})


def _choices(scale: Scale, missing_codes: dict[int, str]) -> tuple[Choice, ...]:
    """Return the answers of a scale by code, then those that count as missing."""
    if scale.kind in ("number", "text"):
        return ()
    labels = {code: pick(text.model_dump()) for code, text in scale.labels.items()}
    if scale.kind == "likert":
        codes = range(int(scale.low or 0), int(scale.high or 0) + 1)
        labels = {code: labels.get(code, str(code)) for code in codes}
    known = {
        "prefers not to say": _("prefers not to say"),
        "does not know": _("does not know"),
        "does not apply": _("does not apply"),
        "refused": _("refused"),
    }
    if scale.kind != "multiple":
        labels |= {c: known.get(why, why) for c, why in missing_codes.items() if c > 0}
    return tuple(Choice(code, labels[code]) for code in labels)


def _condition(text: str) -> Condition | None:
    """Return ``item=code|code`` as a condition."""
    item, sign, codes = text.partition("=")
    if not sign:
        return None
    return Condition(item.strip(), tuple(int(code) for code in codes.split("|")))


def _pages(questions: list[Question], gates: set[str]) -> tuple[tuple[Question, ...], ...]:
    """Return the questions by page: gates and grids alone, others a few together."""
    pages: list[list[Question]] = []
    alone = True
    for question in questions:
        single = question.kind == "grid" or question.name in gates
        if single or alone or len(pages[-1]) == MOST_ON_A_PAGE:
            pages.append([])
        pages[-1].append(question)
        alone = single
    return tuple(tuple(page) for page in pages)


def _welcome(*, has_consent: bool) -> tuple[str, ...]:
    """Return the paragraphs of the first page."""
    going_on = () if has_consent else (_("By going on, you agree to take part."),)
    return (
        _(
            "You are invited to take part in a scientific survey. Taking part is voluntary; you "
            "may stop at any time, without giving a reason and without any disadvantage."
        ),
        _(
            "Privacy: neither your name nor your address is asked. Your answers are used for "
            "research only; network addresses and other technical details that could identify you "
            "are removed before the analysis. Results are published for groups, never for single "
            "persons."
        ),
        _(
            "Responsible: [name and address of the researcher]. Approval: [ethics committee and "
            "number]. Answers are kept until [date]."
        ),
        *going_on,
    )
