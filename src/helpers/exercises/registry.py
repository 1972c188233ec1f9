"""The register of exercises, and the check of an answer against the right one."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from helpers.errors import ReportError, Unavailable, listing, nearest
from helpers.exercises.agreement import agrees, expected_kind
from helpers.i18n import _

Names = Mapping[str, Any]
_ID = re.compile(r"(\d\d)-(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    id : str
        Notebook and number, ``"30-1"``.
    right : callable
        Variables of the notebook -> the right answer.
    hint : str
        What to look at again, in English; translated when shown.
    decimals : int
        A number is right if it rounds to the right one at this many decimals.
    """

    id: str
    right: Callable[[Names], Any]
    hint: str
    decimals: int


@dataclass(frozen=True, slots=True)
class Graded:
    """How an answer was found.

    Attributes
    ----------
    id : str
    status : {"right", "wrong", "unanswered", "unavailable"}
        ``"unavailable"``: the exercise does not apply to this study.
    text : str
        One sentence in the current language; it never gives the right answer away.
    """

    id: str
    status: Literal["right", "wrong", "unanswered", "unavailable"]
    text: str


_EXERCISES: dict[str, Exercise] = {}


def exercise(
    id: str, *, hint: str, decimals: int = 3
) -> Callable[[Callable[[Names], Any]], Callable[[Names], Any]]:
    """Register the right answer to an exercise.

    Parameters
    ----------
    id : str
        Number of the notebook and of the exercise in it, ``"30-1"``.
    hint : str
        English literal that says what to look at again; never the answer.
    decimals : int
        Decimals at which numbers are compared.

    Examples
    --------
    >>> @exercise("00-99", hint="Add the two.", decimals=0)
    ... def _(names):
    ...     return names["a"] + names["b"]
    >>> grade("00-99", 3, {"a": 1, "b": 2}).status
    'right'
    """
    if not _ID.fullmatch(id):
        raise ReportError(f"exercise: id= is '{id}'; the form is NN-k, such as 30-1. Rename it.")
    if not hint.strip():
        raise ReportError(f"exercise: hint= of '{id}' is empty; say what to look at again.")

    def register(right: Callable[[Names], Any]) -> Callable[[Names], Any]:
        _EXERCISES[id] = Exercise(id, right, hint, decimals)
        return right

    return register


def find(id: str) -> Exercise:
    """Return an exercise, reading the module of its notebook if need be."""
    match = _ID.fullmatch(id)
    if match and id not in _EXERCISES and match[1] in notebooks_with_exercises():
        importlib.import_module(f"helpers.exercises.n{match[1]}")
    if id not in _EXERCISES:
        known = sorted(_EXERCISES)
        raise ReportError(
            f"check_answer: id= is '{id}', which is no exercise; allowed are {listing(known)}."
            f"{nearest(id, known)} Write the notebook's number and the exercise's."
        )
    return _EXERCISES[id]


def notebooks_with_exercises() -> list[str]:
    """Return the numbers of the notebooks whose answers can be checked."""
    return sorted(path.stem[1:] for path in Path(__file__).parent.glob("n[0-9][0-9].py"))


def grade(id: str, answer: Any, names: Names) -> Graded:
    """Hold an answer against the right one.

    Parameters
    ----------
    id : str
        ``"30-1"``.
    answer : object
        Number, text, truth value, tuple or list, set, or a small table; ``None`` or ``...`` is no
        answer yet.
    names : mapping
        The notebook's variables, from which the right answer is computed.

    Raises
    ------
    ReportError
        There is no such exercise, or a variable it needs is not set yet.
    """
    found = find(id)
    right = found.right(_Variables(id, names))
    if isinstance(right, Unavailable):
        return Graded(id, "unavailable", right.text())
    if answer is None or answer is ...:
        return Graded(id, "unanswered", _("Exercise {id}: not answered yet.").format(id=id))
    if agrees(answer, right, decimals=found.decimals):
        return Graded(id, "right", _("Exercise {id}: right.").format(id=id))
    asked = expected_kind(answer, right)
    return Graded(
        id, "wrong", asked or _("Exercise {id}: not yet. {hint}").format(id=id, hint=_(found.hint))
    )


class _Variables(dict[str, Any]):
    """The notebook's variables; one that is missing says which cells to run."""

    def __init__(self, id: str, names: Names) -> None:
        super().__init__(names)
        self._id = id

    def __missing__(self, name: str) -> Any:
        raise ReportError(
            f"check_answer: exercise '{self._id}' needs the variable '{name}', which is not set. "
            "Run the cells above first."
        )
