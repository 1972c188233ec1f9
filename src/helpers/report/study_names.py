"""Parameters that name a part of the study file: a name that the study lacks is told before a run.

A notebook whose own default the study lacks says so and ends green; a name that somebody gave is a
slip of the pen, and no page should be made that passes over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from helpers.errors import ReportError, listing, nearest
from helpers.study import StudyFolder

PARTS: Mapping[str, str] = {
    "model": "model",
    "measure": "model",
    "partial": "model",
    "full": "model",
    "group": "grouping",
    "regression": "regression",
    "module": "module",
    "hypothesis": "hypothesis",
    "construct": "construct",
    "before": "construct",
    "after": "construct",
    "dose": "item",
    "lever": "lever",
}
"""Parameter of the notebooks -> what of the study it names."""
ANY = ("", "all")
"""What leaves the choice to the notebook."""


def unknown_name(parameter: str, value: Any, study: StudyFolder) -> str:
    """Return that a parameter names what the study does not have; empty if it does not.

    Parameters
    ----------
    parameter : str
        Any parameter; those that name no part of a study file are passed over.
    value : object
        As given; what is not text is a fault of its type, told elsewhere.
    study : StudyFolder
    """
    part = PARTS.get(parameter)
    if part is None or not isinstance(value, str) or value in ANY:
        return ""
    known = list(_known(part, study))
    if value in known:
        return ""
    return (
        f"parameter {parameter}= is '{value}', but study '{study.spec.id}' has no such {part}; "
        f"allowed are {listing(known, most=40) or 'none'}.{nearest(value, known)} Correct it."
    )


def refuse_unknown_names(values: Mapping[str, Any], study: StudyFolder) -> None:
    """Raise if parameters name what the study does not have; all faults in one message."""
    faults = [unknown_name(name, value, study) for name, value in values.items()]
    if any(faults):
        raise ReportError("\n".join(filter(None, faults)))


def _known(part: str, study: StudyFolder) -> Iterable[str]:
    """Return the names that a study has for one kind of part."""
    spec = study.spec
    levers = spec.service.scenarios.levers if spec.service.scenarios else []
    names: dict[str, Iterable[str]] = {
        "model": spec.models,
        "grouping": spec.groups,
        "regression": spec.regressions,
        "module": spec.modules,
        "hypothesis": [hypothesis.id for hypothesis in spec.hypotheses],
        "construct": study.construct_codes,
        "item": study.items["item"],
        "lever": [lever.code for lever in levers],
    }
    return names[part]
