"""Parameters with a range or a few words to choose from: other values are told before a run.

What is written here holds in every notebook that has the parameter, unless the notebook's number
stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from helpers.errors import listing, nearest
from helpers.i18n import LANGUAGES


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers that a parameter may be.

    Attributes
    ----------
    low, high : float
        Both allowed.
    above : bool
        ``low`` itself is not allowed.
    file : bool
        -1 is allowed, too: it takes the value of the study file.
    """

    low: float = 0.0
    high: float = math.inf
    above: bool = False
    file: bool = False

    def holds(self, value: float) -> bool:
        """Tell whether a number is allowed; blanks and infinity are not."""
        if self.file and value == -1:
            return True
        enough = value > self.low if self.above else value >= self.low
        return math.isfinite(value) and enough and value <= self.high

    def words(self) -> str:
        """Return what is allowed, as a part of a sentence."""
        if math.isinf(self.high):
            told = f"a number above {self.low:g}" if self.above else f"{self.low:g} or more"
        elif self.above:
            told = f"a number above {self.low:g} and at most {self.high:g}"
        else:
            told = f"a number from {self.low:g} to {self.high:g}"
        return told + (", or -1 for what the study file says" if self.file else "")


RANGES: Mapping[str, Range] = {
    "n_boot": Range(1),
    "n_boot 51": Range(0),
    "n_draws": Range(2),
    "seed": Range(0),
    "looks": Range(1, 100),
    "margin": Range(0, 1, file=True),
    "discount": Range(0, file=True),
    "years": Range(0, 100, above=True),
    "trim": Range(0.5, 1, above=True),
    "call_cost": Range(0),
    "worth": Range(0, above=True),
    "kept_by_call": Range(0, 1, above=True),
    "step": Range(0, above=True),
    "budget": Range(0),
    "value_per_point": Range(0, file=True),
    "prior_weight": Range(0, 1),
}
"""Parameter, or parameter and notebook -> the numbers that it may be."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "resample": ("pairs", "cases"),
    "words": ("", *LANGUAGES),
    "spending": ("obrien_fleming", "pocock"),
    "rule": ("best", "one_se"),
}
"""Parameter -> the words that it may be."""


def wrong_value(notebook: str, name: str, value: Any) -> str:
    """Return that a value of the right type is not allowed; empty if it is.

    Parameters
    ----------
    notebook : str
        File name, which starts with the number.
    name : str
        Any parameter; those without a range or choices are passed over.
    value : object
        Typed.
    """
    known = RANGES.get(f"{name} {notebook[:2]}", RANGES.get(name))
    if known is not None and isinstance(value, int | float) and not known.holds(value):
        return f"parameter {name}= is {value:g}; {notebook} needs {known.words()}. Correct it."
    words = CHOICES.get(name, (value,))
    if value not in words:
        allowed = listing(word or "''" for word in words)
        return (
            f"parameter {name}= is '{value}'; {notebook} allows {allowed}.{nearest(value, words)} "
            "Correct it."
        )
    return ""
