"""Table and sentence of the sensitivity to an unmeasured confounder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.sem.confounder import ConfounderSensitivity
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column
from helpers.tables.numbers import format_number

if TYPE_CHECKING:
    from helpers.survey.load import Study


@passes_unavailable
def confounder_table(study: Study, result: ConfounderSensitivity) -> ApaTable:
    """Return the effect that is left, by the confounder's two standardised paths."""
    wide = result.contours.pivot(index="to_cause", columns="to_outcome", values="estimate")
    keys = [f"to_outcome_{v:g}" for v in wide.columns]
    frame = wide.set_axis(keys, axis=1).reset_index()
    frame["border"] = result.border["to_outcome"].to_numpy()
    cause, outcome = (study.construct_name(v) for v in (result.cause, result.outcome))
    columns = [Column("to_cause", _("Path to {name}").format(name=cause), "bounded")]
    columns += [
        Column(key, format_number(v, bounded=True), decimals=3)
        for key, v in zip(keys, wide.columns)
    ]
    columns.append(Column("border", _("Takes it to zero"), "bounded"))
    note = _(
        "Columns: standardised path of the confounder to {outcome}. Without a confounder: {value}. "
        "The last column is the path to {outcome} that takes the effect to zero."
    ).format(outcome=outcome, value=format_number(result.estimate, 3))
    return apa_table(
        frame.astype(object).where(frame.notna(), None), columns=columns, note=note,
        missing_reason=_("no confounder so strong fits into the unexplained variance"),
        caption=_("What is left of the effect beside an unmeasured confounder"),
    )  # fmt: skip


@passes_unavailable
def confounder_sentence(study: Study, result: ConfounderSensitivity) -> str:
    """Read the tipping values aloud, beside the strongest paths of the model's own variables."""
    cause, outcome = (study.construct_name(v) for v in (result.cause, result.outcome))
    if isinstance(result.tipping, Unavailable):
        return result.tipping.text()
    text = _(
        "An unmeasured variable with standardised paths of {value} to both {cause} and {outcome} "
        "would take the effect to zero."
    ).format(value=format_number(result.tipping, bounded=True), cause=cause, outcome=outcome)
    if isinstance(result.tipping_interval, float):
        text += " " + _("From {value} on, the interval holds zero.").format(
            value=format_number(result.tipping_interval, bounded=True)
        )
    if np.isfinite(result.strongest_to_outcome):
        text += " " + _("The strongest measured path to {outcome} is {value}.").format(
            outcome=outcome, value=format_number(result.strongest_to_outcome, bounded=True)
        )
    return text
