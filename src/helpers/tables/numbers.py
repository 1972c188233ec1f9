"""Numbers as text: the one place where results are rounded.

Rules of the Publication Manual of the APA (7th edition, section 6.36): no leading zero for a
value that cannot exceed 1 in size (correlations, p, loadings, fit indices), p to three decimals
and never ``.000``.
"""

from __future__ import annotations

import math
from numbers import Real

from helpers.errors import ReportError
from helpers.i18n import _

DASH = "–"
MINUS = "−"


def is_missing(value: object) -> bool:
    """Tell whether a value has no number to print: None, NaN or pandas' NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, Real) and math.isnan(value)


def format_number(value: object, decimals: int = 2, *, bounded: bool = False) -> str:
    """Write a number with a fixed number of decimals.

    Parameters
    ----------
    value : number or None
        Missing values become an en dash.
    decimals : int
        Digits after the point.
    bounded : bool
        The quantity lies in -1 to 1 by definition: ``.45`` instead of ``0.45``. A value
        outside (an improper solution) keeps its digits.

    Examples
    --------
    >>> format_number(0.456), format_number(-0.456, bounded=True)
    ('0.46', '−.46')
    """
    if is_missing(value):
        return DASH
    number = _real(value, "format_number")
    if math.isinf(number):
        return "∞" if number > 0 else MINUS + "∞"
    digits = f"{abs(number):,.{decimals}f}"
    if bounded and digits.startswith("0."):
        digits = digits[1:]
    # A value that rounds to zero carries no sign.
    negative = number < 0 and digits.strip("0.,") != ""
    return (MINUS if negative else "") + digits


def format_p(value: object) -> str:
    """Write a probability the APA way: ``.012``, ``< .001``, ``> .999``.

    Examples
    --------
    >>> format_p(0.01234), format_p(0.0000001)
    ('.012', '< .001')
    """
    if is_missing(value):
        return DASH
    number = _real(value, "format_p")
    if not 0 <= number <= 1:
        raise ReportError(
            f"format_p: value= is {number}; a probability from 0 to 1 is needed. "
            "Give the p value itself, not a percentage or a statistic."
        )
    if number < 0.001:
        return "< .001"
    if number > 0.999:
        return "> .999"
    return f"{number:.3f}"[1:]


def format_interval(low: object, high: object, decimals: int = 2, *, bounded: bool = False) -> str:
    """Write an interval as ``[0.12, 0.45]``; an en dash if either end is missing.

    Examples
    --------
    >>> format_interval(-0.1, 0.25, bounded=True)
    '[−.10, .25]'
    """
    if is_missing(low) or is_missing(high):
        return DASH
    ends = (format_number(end, decimals, bounded=bounded) for end in (low, high))
    return "[" + ", ".join(ends) + "]"


def format_estimate(
    estimate: object, low: object, high: object, decimals: int = 2, *, bounded: bool = False
) -> str:
    """Write an estimate with its interval: ``0.31 [0.12, 0.45]``."""
    text = format_number(estimate, decimals, bounded=bounded)
    interval = format_interval(low, high, decimals, bounded=bounded)
    return text if interval == DASH else f"{text} {interval}"


def format_percent(share: object, decimals: int = 1) -> str:
    """Write a share (0 to 1) as a percentage: ``12.5%``."""
    return DASH if is_missing(share) else format_number(100 * float(share), decimals) + "%"


def format_integer(value: object) -> str:
    """Write a count with thousands separated: ``1,200``."""
    return format_number(value, 0)


def format_truth(value: object) -> str:
    """Write True and False as yes and no."""
    if is_missing(value):
        return DASH
    return _("yes") if bool(value) else _("no")


def _real(value: object, function: str) -> float:
    """Return a float, or say what was given instead."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ReportError(
            f"{function}: value= is {value!r}; a number is needed. Format text columns as 'text'."
        ) from None
