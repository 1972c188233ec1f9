"""The fixed first columns of LimeSurvey and SurveyMonkey, told by their cells in any language."""

from __future__ import annotations

import re

import pandas as pd

from helpers.survey.readers import metadata
from helpers.survey.readers.assemble import header_row

_LOOKED_AT = 50
_WHOLE = re.compile(r"^\d+$")
_PAGE = re.compile(r"^\d{1,2}$")
_LONG = re.compile(r"^\d{6,}$")
_RESPONDENT = re.compile(r"^\d{9,12}$")
_LANGUAGE = re.compile(r"^[a-z]{2,3}(-[A-Za-z]+)*$")
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}( \d{2}:\d{2}(:\d{2})?)?$")
_NETWORK = re.compile(r"^(\d{1,3}\.){3}\d{1,3}$")
_MONKEY_ORDER = (
    "Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address", "Email Address",
    "First Name", "Last Name", "Custom Data 1",
)  # fmt: skip


def lime_names(rows: pd.DataFrame) -> list[str]:
    """Return LimeSurvey's codes of the first columns if their cells are what it writes there.

    Full-text exports name them in the language of the survey, but always begin with the number
    of the answer, the date of submission (blank if unfinished), the last page and the language.
    """
    body = rows.iloc[1 : 1 + _LOOKED_AT]
    width = body.shape[1]
    if body.empty or width < 5:
        return []
    ids = _filled(body, 0)
    start = (
        len(ids) == len(body) == len(set(ids))
        and _all(body, 0, _WHOLE)
        and _all(body, 1, _DAY)
        and _all(body, 2, _PAGE)
        and _all(body, 3, _LANGUAGE)
    )
    if not start:
        return []
    names = ["id", "submitdate", "lastpage", "startlanguage"]
    for name, form in (
        ("seed", _LONG), ("startdate", _DAY), ("datestamp", _DAY), ("ipaddr", _NETWORK),
    ):  # fmt: skip
        if len(names) < width and _all(body, len(names), form):
            names.append(name)
    return names


def monkey_names(rows: pd.DataFrame) -> list[str]:
    """Return SurveyMonkey's English names of the first columns if their cells are its own.

    The second header row is blank under them; ids, collector and two dates come first, and all
    that follows up to the first question is about the person.
    """
    if len(rows) < 3 or rows.shape[1] < 5:
        return []
    body = rows.iloc[2 : 2 + _LOOKED_AT]
    options = [cell.strip() for cell in header_row(rows, 1)]
    blank = next((i for i, cell in enumerate(options) if cell), len(options))
    if not 4 <= blank < len(options):
        return []
    ids = _all(body, 0, _RESPONDENT) and _all(body, 1, _LONG)
    times = all(_are_times(body.iloc[:, i]) for i in (2, 3))
    return list(_MONKEY_ORDER[:blank]) if ids and times else []


def _filled(body: pd.DataFrame, i: int) -> list[str]:
    """Return the cells of a column that hold something."""
    return [text for text in (str(cell).strip() for cell in body.iloc[:, i]) if text]


def _all(body: pd.DataFrame, i: int, form: re.Pattern[str]) -> bool:
    """Tell whether a column's filled cells all have a form, and there are some."""
    cells = _filled(body, i)
    return bool(cells) and all(form.match(cell) for cell in cells)


def _are_times(cells: pd.Series) -> bool:
    """Tell whether a column holds dates."""
    orders = metadata.date_orders(cells)
    return sum(orders.values()) > 0 and orders["unread"] == 0
