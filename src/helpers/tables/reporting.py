"""Checklists for reporting: what is asked, whether the run answers it, and what is left to say.

A checklist is filled from the study and from the fitted models. Its gaps stand first: they are what
the author still has to write, into the key ``statements`` of study.yml or into the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from helpers.i18n import _, pick
from helpers.tables.apa import ApaTable, apa_table

if TYPE_CHECKING:
    from helpers.survey.load import Study

State = Literal["gap", "partly", "answered", "not_applicable"]
_ORDER: tuple[State, ...] = ("gap", "partly", "answered", "not_applicable")


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a checklist.

    Attributes
    ----------
    part : str
        Part of a paper, or kind of practice.
    asked : str
        What the checklist asks, in the suite's own words.
    state : State
    answer : str
        The answer of this run, or what is missing.
    where : str
        Numbers of the notebooks that show it; empty if the study file does.
    """

    part: str
    asked: str
    state: State
    answer: str
    where: str = ""


def state_words() -> dict[State, str]:
    """Return the words for the states of a point."""
    return {
        "gap": _("open"),
        "partly": _("in part"),
        "answered": _("answered"),
        "not_applicable": _("does not apply"),
    }


def checklist(points: Sequence[Point], *, caption: str, note: str) -> ApaTable:
    """Return a checklist as a table, open points first, else in the order of the list."""
    words = state_words()
    ordered = sorted(points, key=lambda point: _ORDER.index(point.state))
    frame = pd.DataFrame(
        {
            "state": [words[point.state] for point in ordered],
            "part": [point.part for point in ordered],
            "asked": [point.asked for point in ordered],
            "answer": [point.answer for point in ordered],
            "where": [point.where for point in ordered],
        }
    )
    labels = {"state": _("State"), "part": _("Part"), "asked": _("What is asked")}
    labels |= {"answer": _("What this run says"), "where": _("Notebook")}
    return apa_table(frame, caption=caption, columns=labels, note=note)


def checklist_sentence(points: Sequence[Point]) -> str:
    """Say how much of a checklist is answered and name what is open."""
    asked = [point for point in points if point.state != "not_applicable"]
    gaps = [point.asked for point in points if point.state == "gap"]
    done = sum(point.state == "answered" for point in asked)
    partly = sum(point.state == "partly" for point in asked)
    text = _("Of {n} points that apply, {done} are answered, {partly} in part.").format(
        n=len(asked), done=done, partly=partly
    )
    if not gaps:
        return f"{text} {_('None is left open.')}"
    left = _("The author must still add: {gaps}.").format(gaps=_("; ").join(gaps))
    return f"{text} {left}"


def stated(study: Study, part: str, asked: str, key: str) -> Point:
    """Return a point that only the authors can answer, from the study file's statements."""
    statement = getattr(study.spec.statements, key)
    if statement is None:
        missing = _("not stated; add the key statements.{key} to study.yml").format(key=key)
        return Point(part, asked, "gap", missing)
    return Point(part, asked, "answered", pick(statement.model_dump()))
