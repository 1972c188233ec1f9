"""The five kinds of error a user of the suite can meet, and the value for what cannot be computed.

Messages follow one form: what was found; what is allowed; what to do next. They never show a
path outside the project, because reports travel.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from numbers import Real
from typing import NoReturn, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class SuiteError(ValueError):
    """Base of the suite's errors: a fault in what was asked or given, not in the code."""


class CodebookError(SuiteError):
    """``study.yml``, ``items.csv`` or a batch configuration is wrong."""


class DataContractError(SuiteError):
    """The data do not agree with the codebook, or are too few for what is asked."""


class ModelSpecError(SuiteError):
    """A model cannot be read, is not identified, or names what does not exist."""


class EstimationError(SuiteError):
    """An estimate cannot be computed from these data."""


class ReportError(SuiteError):
    """A report cannot be rendered or written."""


def check_level(level: float, function: str) -> None:
    """Raise unless a confidence level is a share strictly between 0 and 1.

    Parameters
    ----------
    level : float
        What was given as ``level=``.
    function : str
        Which function was called, for the message.

    Raises
    ------
    DataContractError
        Anything else: a percentage, 0 or 1, no number.
    """
    number = isinstance(level, Real) and not isinstance(level, bool)
    if number and 0 < level < 1:
        return
    found = f"{level:g}" if number else repr(level)
    share = level / 100 if number and 1 < level < 100 else 0.95
    raise DataContractError(
        f"{function}: level= is {found}; a share between 0 and 1 is needed, e.g. 0.95. "
        f"Write {share:g} for {100 * share:g} percent."
    )


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A result that cannot be given, with the reason; shown in reports in place of the result.

    Attributes
    ----------
    what : str
        What was asked for, as a noun phrase ("bootstrap intervals").
    why : str
        Why it cannot be given, without a full stop.
    """

    what: str
    why: str

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> NoReturn:
        """Raise with the reason: who asks for a part of the result learns why there is none."""
        if name.startswith("_") or name in ("what", "why"):  # asked for by copy and pickle
            raise AttributeError(name)
        raise AttributeError(f"{self.text()} So it has no '{name}'.")

    def text(self) -> str:
        """Return one sentence in the current language."""
        from helpers.i18n import _

        why = self.why.rstrip(".。")  # the message of an error ends with a stop of its own
        return _("Not available: {what}, because {why}.").format(what=self.what, why=why)


def passes_unavailable(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function return the first ``Unavailable`` among its arguments in place of a result."""

    @wraps(function)
    def passing(*args: P.args, **kwargs: P.kwargs) -> R:
        for value in (*args, *kwargs.values()):
            if isinstance(value, Unavailable):
                return value  # type: ignore[return-value]
        return function(*args, **kwargs)

    return passing


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the closest allowed name, or an empty string."""
    close = difflib.get_close_matches(str(name), [str(a) for a in allowed], n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""


def listing(values: Iterable[object], most: int = 12) -> str:
    """Return values as a readable list, cut after ``most`` with a count of the rest."""
    items = [str(v) for v in values]
    text = ", ".join(items[:most])
    return text + (f" and {len(items) - most} more" if len(items) > most else "")
