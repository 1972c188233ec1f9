"""Right answers of notebook 10."""

from __future__ import annotations

from typing import Any

from helpers.exercises.agreement import largest
from helpers.exercises.registry import Names, exercise


@exercise("10-1", hint="Sort the flow by the column n_marked; a rule's name stands in rule.")
def _widest_rule(names: Names) -> Any:
    flow = names["lesson"].study.cleaned.flow
    return "" if flow.empty else largest(flow.set_index("rule")["n_marked"])


@exercise("10-2", hint="A row that is kept has an empty text in the column excluded_by.")
def _excluded(names: Names) -> Any:
    cleaned = names["lesson"].study.cleaned
    return cleaned.n_received - cleaned.n_analysed


@exercise("10-3", hint="Read again which marks exclude nobody by themselves, and why.")
def _alone(names: Names) -> Any:
    return False
