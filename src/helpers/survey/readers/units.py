"""Numbers that people wrote with their unit: ``25岁``, ``$12.50``, ``3 days``."""

from __future__ import annotations

import re
from collections.abc import Iterable

_BEFORE = r"[$€£¥￥]|EUR|USD|CNY|RMB"
_BEHIND = (
    r"[$€£¥￥%‰]|EUR|USD|CNY|RMB|周岁|岁|元|块|天|日|小时|分钟|次|件|个月|月|年"
    r"|years?(?: old)?|yrs?|months?|weeks?|days?|hours?|hrs?|minutes?|mins?|times"
)
_WITH_UNIT = re.compile(
    rf"^(?P<before>{_BEFORE})?\s*(?P<number>[+-]?\d[\d.,]*)\s*(?P<behind>{_BEHIND})?$",
    re.IGNORECASE,
)
_MOSTLY = 0.5


def unit_of(texts: Iterable[str]) -> str:
    """Return the one unit that stands beside numbers, or an empty text.

    Most numbers bear it, and none bears another: 3 days and 3 hours are not the same number.
    """
    hits = [hit for text in texts if (hit := _WITH_UNIT.match(text.strip()))]
    units = {_unit(hit) for hit in hits} - {""}
    bearing = sum(bool(_unit(hit)) for hit in hits)
    return units.pop() if len(units) == 1 and bearing >= _MOSTLY * len(hits) else ""


def without_unit(text: str) -> str:
    """Return a number without the unit beside it; other texts as they are."""
    hit = _WITH_UNIT.match(text.strip())
    return hit["number"] if hit else text


def _unit(hit: re.Match[str]) -> str:
    """Return the unit of a number, plural and singular alike."""
    found = (hit["before"] or hit["behind"] or "").casefold()
    if hit["before"] and hit["behind"]:
        found = f"{hit['before']} {hit['behind']}".casefold()
    return found.removesuffix("s") if found.isascii() and len(found) > 2 else found
