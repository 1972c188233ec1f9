"""Checks of the risk of leaving: signs of leaking, chance of the folds, planted signs."""

from __future__ import annotations

import math

from helpers.errors import Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.results import CheckResult
from helpers.service.risk_scores import Performance
from helpers.service.risk_study import RiskModel
from helpers.survey.load import Study
from helpers.tables.numbers import format_interval, format_number
from helpers.tables.service_risk import column_label
from helpers.thresholds import THRESHOLDS


def leak_checks(
    study: Study, found: tuple[str, float, Performance] | Unavailable
) -> list[CheckResult | Unavailable]:
    """Hold the signs of leaking against their cut-offs."""
    if isinstance(found, Unavailable):
        return [found]
    best, area, chance = found
    cut = THRESHOLDS["leak_auc"]
    alone = _("{name} alone ranks with an area of {area}; above {cut} it would be suspect.").format(
        name=column_label(study, best), area=format_number(area), cut=format_number(cut.value)
    )
    shuffled = _("Area {area} {interval} with shuffled outcomes; chance is 0.50.").format(
        area=format_number(chance.auc), interval=format_interval(chance.auc_low, chance.auc_high)
    )
    return [
        CheckResult(
            _("No predictor knows the outcome"), cut.holds(area), area, cut.value, _(cut.source),
            alone,
        ),
        CheckResult(
            _("Shuffled outcomes cannot be told"), chance.auc_low <= 0.5, chance.auc, 0.5, "",
            shuffled,
        ),
    ]  # fmt: skip


@passes_unavailable
def steadiness_check(model: RiskModel) -> CheckResult:
    """Say how far the area moves with the folds."""
    aucs = model.honest.aucs
    low, high = float(aucs.min()), float(aucs.max())
    text = _("Over {k} repeats with other folds the area runs from {low} to {high}.").format(
        k=len(aucs), low=format_number(low, 3), high=format_number(high, 3)
    )
    return CheckResult(_("Chance of the folds"), None, high - low, None, "", text)


def planted_checks(study: Study, model: RiskModel | Unavailable) -> list[CheckResult]:
    """Hold signs of coefficients against what was planted in the change of loyalty.

    The simulated study plants offsets in the outcome by customer type and for customers without a
    recovery; the coefficient of a category should have the sign of its offset less the first's.
    """
    if isinstance(model, Unavailable) or study.offers("truth") is not None:
        return []
    item = study.spec.service.risk.outcome.item
    offsets = study.truth.get("ratings", {}).get("offsets", {}).get(item)
    if not offsets:
        return []
    planted = {"HOURS=blank": -(offsets["recovery"][0] - offsets["recovery"][1])}
    first = offsets["type"][1]
    planted |= {f"CTYPE={k}": -(v - first) for k, v in offsets["type"].items() if k > 1}
    found = model.coefficients.set_index("column")["coefficient"]
    checks = []
    for column, shift in planted.items():
        if column not in found.index or found[column] == 0:
            continue
        value = float(found[column])
        text = _(
            "Planted shift of latent loyalty towards leaving {shift}; odds ratio for one SD {odds}."
        ).format(shift=_shift(shift), odds=format_number(math.exp(value)))
        name = _("Planted sign: {name}").format(name=column_label(study, column))
        checks.append(CheckResult(name, value * shift > 0, value, shift, "population.yml", text))
    return checks


def _shift(value: float) -> str:
    """Return a planted shift with its sign."""
    return f"{value:+.2f}".replace("-", "−")
