"""SurveyMonkey, LimeSurvey and Google Forms."""

from __future__ import annotations

import html
import re

import pandas as pd

from helpers.errors import DataContractError
from helpers.survey.findings import Finding, said
from helpers.survey.readers.assemble import (
    Taken,
    assemble,
    header_row,
    under_header,
    unique_names,
)
from helpers.survey.readers.export import Export
from helpers.survey.readers.fixed_columns import lime_names, monkey_names
from helpers.survey.readers.layout import Layout
from helpers.survey.readers.table import BLANKS
from helpers.survey.readers.wenjuanxing import EMPTY, SKIPPED

_MONKEY = {
    "respondent id": "respondent_id", "respondent_id": "respondent_id",
    "start date": "started_at", "date_created": "started_at", "end date": "ended_at",
    "date_modified": "ended_at", "ip address": "address", "ip_address": "address",
}  # fmt: skip
_MONKEY_PLATFORM = frozenset({"collector id", "collector_id", "custom_1"})
_WHOLE_CELL = frozenset({"response", "open-ended response", ""})
_LIME = {
    "id": "respondent_id", "response id": "respondent_id", "submitdate": "submitted",
    "date submitted": "submitted", "startdate": "started_at", "date started": "started_at",
    "datestamp": "ended_at", "date last action": "ended_at", "startlanguage": "language",
    "start language": "language", "ipaddr": "address", "ip address": "address",
    "interviewtime": "duration_s", "total time": "duration_s",
}  # fmt: skip
_LIME_PLATFORM = re.compile(
    r"^(lastpage|last page|seed|submitdate|date submitted)$|^groupTime\d*$|Time$|^Group time:"
    r"|^Question time:", re.IGNORECASE,
)  # fmt: skip
_LIME_PAGE = re.compile(r"^groupTime\d*$|^Group time:", re.IGNORECASE)
_LIME_TOKENS = {"N/A": SKIPPED, "{question_not_shown}": SKIPPED, "-oth-": EMPTY}
_LIME_BOTH = re.compile(r"^([A-Za-z][A-Za-z0-9_]*(?:\[[^\]]*\])*)\s*[.:]\s+(.+)$", re.DOTALL)
_LIME_CODE = re.compile(r"^A0*(\d{1,3})$")
_STRIPPED = "1980-01-01 00:00:00"
_GOOGLE_ZONE = re.compile(r"GMT")


def plain_question(text: str) -> str:
    """Return a question without the tags, entities and line breaks of its editor."""
    bare = html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("\xa0", " ")
    return re.sub(r"\s+", " ", bare).strip()


def read_surveymonkey(rows: pd.DataFrame, place: str, layout: Layout) -> Export:
    """Read a SurveyMonkey table: questions in the first row, options or matrix rows in the second.

    A column is called ``question - option``, or the question alone where the second row says
    ``Response``. There is no status: rows left early have the later questions blank. Seconds are
    end less start.
    """
    if len(rows) < 2:
        raise DataContractError(
            f"read_source: file= {place} has one row; SurveyMonkey writes two header rows above "
            "the answers. Export it again."
        )
    top, second = ([plain_question(c) for c in header_row(rows, i)] for i in (0, 1))
    if top[0].casefold() not in _MONKEY:
        fixed = monkey_names(rows)
        top = [*fixed, *top[len(fixed) :]]
    joined, questions, current = [], [], ""
    for head, option in zip(top, second, strict=True):
        current = head or current
        alone = option.casefold() in _WHOLE_CELL
        joined.append(current if alone else f"{current} - {option}")
        questions.append(joined[-1])
    names, findings = unique_names(joined, place)
    body, headers, more = under_header(rows, 2, names, place)
    canonical = {_MONKEY[n.casefold()]: n for n in names if n.casefold() in _MONKEY}
    taken = Taken(
        names, headers, body, canonical, dict(zip(names, questions)), (*findings, *more)
    )  # fmt: skip
    return assemble(
        taken, layout, place, platform=lambda c: c.casefold() in _MONKEY_PLATFORM,
        tokens=BLANKS, separator=",",
    )  # fmt: skip


def read_limesurvey(rows: pd.DataFrame, place: str, layout: Layout) -> Export:
    """Read a LimeSurvey table: columns by code, by text, or by both; answers as codes or text.

    A response without a date of submission is unfinished. Answer codes ``A1``, ``A2``, ... are
    read as 1, 2, ...; the finding says in how many columns.
    """
    first = [plain_question(c) for c in header_row(rows, 0)]
    if "submitted" not in {_LIME.get(c.casefold()) for c in first}:
        fixed = lime_names(rows)
        first = [*fixed, *first[len(fixed) :]]
    split = [_LIME_BOTH.match(c) for c in first]
    joined = [hit[1] if hit else c for hit, c in zip(split, first, strict=True)]
    names, findings = unique_names(joined, place)
    body, headers, more = under_header(rows, 1, names, place)
    found = {_LIME[n.casefold()]: n for n in names if n.casefold() in _LIME}
    submitted = found.pop("submitted", None)
    finished = None
    if submitted is not None:
        dates = body[submitted].astype("str").str.strip()
        finished = dates != ""
        more += _stripped(dates, place)
    body, said = _answer_codes(body, names, place)
    questions = {n: (hit[2] if hit else "") for n, hit in zip(names, split, strict=True)}
    taken = Taken(names, headers, body, found, questions, (*findings, *more, *said))
    return assemble(
        taken, layout, place, platform=lambda c: bool(_LIME_PLATFORM.search(c)),
        tokens=_LIME_TOKENS, separator=";", finished=finished,
        timer=lambda c: bool(_LIME_PAGE.search(c)),
    )  # fmt: skip


def _stripped(dates: pd.Series, place: str) -> list[Finding]:
    """Return the finding on dates that an anonymous survey does not keep."""
    if not (dates == _STRIPPED).any():
        return []
    sentence = said("dates are those of an anonymous survey (1980-01-01): times are not known.")
    return [Finding("note", place, sentence)]


def _answer_codes(
    body: pd.DataFrame, names: list[str], place: str
) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the table with answer codes as numbers in columns that hold nothing else."""
    turned = {}
    for name in names:
        texts = [str(t) for t in body[name].unique() if str(t).strip()]
        used = set(texts) - {""} - set(_LIME_TOKENS)
        if used and all(_LIME_CODE.match(t) for t in used):
            new = {t: _LIME_CODE.sub(r"\1", t) for t in texts}
            turned[name] = body[name].astype("str").replace(new).astype("category")
    if not turned:
        return body, []
    sentence = said("answer codes A1, A2, ... are read as 1, 2, ... in {n} columns.", n=len(turned))
    return body.assign(**turned), [Finding("note", place, sentence)]


def read_google_forms(rows: pd.DataFrame, place: str, layout: Layout) -> Export:
    """Read a Google Forms table: a time stamp, then one column a question.

    Choices of one cell are joined by ``;`` in the direct download (its time stamps name a zone)
    and by ``, `` in the linked sheet. There is no id; rows are numbered in file order. Only whole
    answers are listed, so every row counts as finished.
    """
    names, findings = unique_names([plain_question(c) for c in header_row(rows, 0)], place)
    body, headers, more = under_header(rows, 1, names, place)
    stamps = body[names[0]].astype("str")
    separator = ";" if stamps.str.contains(_GOOGLE_ZONE).any() else ","
    taken = Taken(
        names, headers, body, {"ended_at": names[0]}, {n: n for n in names}, (*findings, *more)
    )  # fmt: skip
    return assemble(
        taken, layout, place, platform=lambda c: c.casefold() in ("score", "分数", "punktzahl"),
        tokens=BLANKS, separator=separator, finished=True,
    )  # fmt: skip
