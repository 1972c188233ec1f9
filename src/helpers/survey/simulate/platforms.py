"""Answers in the layout in which a platform would export a questionnaire made from the codebook.

With it a study can be rehearsed before anybody is asked: questionnaire, export, reader, report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import pandas as pd

from helpers.survey.questionnaire import Instrument, columns_of
from helpers.survey.questionnaire.instrument import Question
from helpers.survey.questionnaire.wjx import wjx_questions
from helpers.survey.simulate.export import qualtrics_rows, response_ids

_START = datetime(2026, 3, 2, 9, 0, 0)
_SECONDS = 600
_ZONE = "Asia/Shanghai"
_EMPTY = "(空)"
_SKIPPED = "(跳过)"


def platform_rows(
    instrument: Instrument, answers: pd.DataFrame, *, form: str, seed: int = 1
) -> list[list[str]]:
    """Return the rows of an export, header first.

    Parameters
    ----------
    instrument : Instrument
        The questionnaire that was answered.
    answers : DataFrame
        Codes, one column an item; ``ITEM_CODE`` with 0 and 1 for questions with several answers;
        texts for items that are passed on. Blanks are missing.
    form : str
        ``qualtrics`` (codes), ``limesurvey`` (codes) or ``wjx`` (option texts).
    seed : int
        Of the response numbers.
    """
    makers: dict[str, Callable[..., Iterable[list[str]]]] = {
        "qualtrics": _qualtrics, "limesurvey": _limesurvey, "wjx": _wjx,
    }  # fmt: skip
    return [list(row) for row in makers[form](instrument, answers, seed)]


def _qualtrics(instrument: Instrument, answers: pd.DataFrame, seed: int) -> Iterable[list[str]]:
    """Yield a numeric export with three header rows."""
    columns = columns_of(instrument, "qualtrics")
    cells, wording = {}, {}
    for item in instrument.passed_on:
        cells[columns[item]], wording[columns[item]] = answers[item].fillna(""), item
    for question in instrument.questions:
        for item in question.items:
            cells[columns[item]] = _codes(question, item, answers, ",")
            wording[columns[item]] = _text_of(question, item)
    times = [_START + timedelta(minutes=k) for k in range(len(answers))]
    metadata = pd.DataFrame(
        {
            "StartDate": [t.strftime("%Y-%m-%d %H:%M:%S") for t in times],
            "EndDate": [(t + timedelta(seconds=_SECONDS)).strftime("%Y-%m-%d %H:%M:%S")
                        for t in times],
            "Status": "0",
            "Progress": "100",
            "Duration (in seconds)": str(_SECONDS),
            "Finished": "1",
            "ResponseId": response_ids(seed, "rehearsal", len(answers)),
            "DistributionChannel": "anonymous",
            "UserLanguage": instrument.language.upper(),
        }
    )  # fmt: skip
    return qualtrics_rows(metadata, pd.DataFrame(cells), wording, _ZONE)


def _limesurvey(instrument: Instrument, answers: pd.DataFrame, seed: int) -> Iterable[list[str]]:
    """Yield an export with codes for headings and answers; choices of their own columns."""
    columns = columns_of(instrument, "limesurvey")
    head = ["id", "submitdate", "lastpage", "startlanguage", "seed", "startdate", "datestamp"]
    cells: dict[str, pd.Series] = {}
    for question in instrument.questions:
        for item in question.items:
            if question.kind == "multiple":
                for choice in question.choices:
                    chosen = answers[f"{item}_{choice.code}"]
                    name = f"{columns[item]}[SQ{choice.code:03d}]"
                    cells[name] = chosen.map({1.0: "Y"}).fillna("")
            else:
                cells[columns[item]] = _codes(question, item, answers, "")
    for item in instrument.passed_on:
        cells[columns[item]] = answers[item].fillna("")
    yield [*head, *cells, "interviewtime"]
    pages = str(len(instrument.pages))
    for k in range(len(answers)):
        start = _START + timedelta(minutes=k)
        end = (start + timedelta(seconds=_SECONDS)).strftime("%Y-%m-%d %H:%M:%S")
        first = start.strftime("%Y-%m-%d %H:%M:%S")
        meta = [str(k + 1), end, pages, instrument.language, str(seed + k), first, end]
        yield [*meta, *(str(values.iloc[k]) for values in cells.values()), f"{_SECONDS}.25"]


def _wjx(instrument: Instrument, answers: pd.DataFrame, _seed: int) -> Iterable[list[str]]:
    """Yield an export by option text."""
    columns = columns_of(instrument, "wjx")
    cells = {}
    for question in wjx_questions(instrument):
        for item in question.items:
            cells[columns[item]] = _labels(question, item, answers)
    yield ["序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP", *cells]
    for k in range(len(answers)):
        at = _START + timedelta(minutes=k)
        stamp = f"{at.year}/{at.month}/{at.day} {at.hour}:{at:%M:%S}"
        meta = [str(k + 1), stamp, f"{_SECONDS}秒", "链接", "N/A", "192.0.2.1(上海-上海)"]
        yield [*meta, *(str(values.iloc[k]) for values in cells.values())]


def _codes(question: Question, item: str, answers: pd.DataFrame, separator: str) -> pd.Series:
    """Return the cells of an item as codes; blanks are empty."""
    if question.kind == "multiple":
        codes = [c.code for c in question.choices]
        table = answers[[f"{item}_{c}" for c in codes]].to_numpy() == 1
        texts = [separator.join(str(c) for c, yes in zip(codes, row, strict=True) if yes)
                 for row in table]  # fmt: skip
        return pd.Series(texts, index=answers.index)
    return answers[item].map(_plain, na_action="ignore").astype(object).fillna("")


def _labels(question: Question, item: str, answers: pd.DataFrame) -> pd.Series:
    """Return the cells of an item as option texts; blanks carry the platform's signs."""
    labels = {choice.code: choice.text for choice in question.choices}
    if question.kind == "multiple":
        texts = _codes(question, item, answers, "┋").map(
            lambda t: "┋".join(labels[int(c)] for c in t.split("┋") if c)
        )
        return texts.where(texts != "", _EMPTY)
    shown = answers[item].map(
        lambda v: labels.get(int(v), _plain(v)) if labels else _plain(v), na_action="ignore"
    )
    blank = pd.Series(_EMPTY, index=answers.index)
    if question.shown_if is not None:
        asked = answers[question.shown_if.item].isin(question.shown_if.codes)
        blank = blank.where(asked, _SKIPPED)
    return shown.astype(object).where(shown.notna(), blank)


def _plain(value: object) -> str:
    """Return a code or a number as platforms write it."""
    return f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)


def _text_of(question: Question, item: str) -> str:
    """Return the label of a column: the question, and the row of a grid."""
    rows = {row.item: row.text for row in question.rows}
    return f"{question.text} - {rows[item]}" if rows else question.text
