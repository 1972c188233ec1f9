"""Sliders over scenarios: the data behind them, their form on a page, and the default in print.

A page computes with a normal formula on slopes and their covariances (``scenarios.quick``), as it
has no server to ask. Its script is the same for every study; all that differs is data.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from helpers.errors import passes_unavailable
from helpers.i18n import _
from helpers.service.scenario_study import (
    ALL,
    LeverSlopes,
    Plan,
    mixed_slopes,
    without_shares,
)
from helpers.service.scenarios import Levers, prior_shares, quick
from helpers.survey.load import Study
from helpers.tables.apa import apa_table
from helpers.tables.columns import Column
from helpers.tables.numbers import format_number, format_percent
from helpers.tables.service_scenarios import assumptions, currency, lever_names, segment_names
from helpers.thresholds import LEVEL, THRESHOLDS

FINEST = 6
"""Decimals of a first position that a slider keeps."""

BEYOND = 2.0
"""Sliders reach this many times the largest step considered, so that the warning can be seen."""


@dataclass(frozen=True, slots=True)
class Calculator:
    """Sliders with where they stand at first.

    Attributes
    ----------
    data : dict
        Plain values: levers, segments, covariances, words in the language of the run.
    start : dict
        Code of lever -> step.
    plan : Plan
    found : LeverSlopes
    weight, value : float
        Weight of the prior and worth of a point at first.
    segment : str
    """

    data: dict[str, Any]
    start: dict[str, float]
    plan: Plan
    found: LeverSlopes
    weight: float
    value: float
    segment: str

    def result(
        self, steps: Mapping[str, float], *, weight: float, value: float, segment: str = ALL
    ) -> str:
        """Return the sentence that belongs to a position of the sliders."""
        customers = self.plan.customers(segment)
        slopes = mixed_slopes(self.plan, self.found, weight).slopes
        wanted = customers.steps(dict(steps))
        net, low, high, pays = quick(customers, slopes, wanted, value=value)
        return self.data["words"]["result"].format(
            net=format_number(net), low=format_number(low), high=format_number(high),
            pays=format_percent(pays, 0), cost=format_number(float(customers.cost @ wanted)),
        )  # fmt: skip

    def first_sentence(self) -> str:
        """Return the sentence of the first position."""
        return self.result(self.start, weight=self.weight, value=self.value, segment=self.segment)

    def default_html(self) -> str:
        """Return a small table of the first position, for print and where nothing can move."""
        names = lever_names(self.plan)
        rows = pd.DataFrame(
            {"name": [names[c] for c in self.start], "step": list(self.start.values())}
        )
        digits = max(lever["digits"] for lever in self.data["levers"])
        columns = [Column("name", _("Lever"), "text"), Column("step", _("Points"), decimals=digits)]
        caption, note = _("Where the sliders stand at first"), self.first_sentence()
        return apa_table(rows, caption=caption, columns=columns, note=note).html()


@passes_unavailable
def calculator(
    study: Study,
    plan: Plan,
    found: LeverSlopes,
    *,
    steps: Mapping[str, float],
    value: float,
    weight: float = 0.0,
    segment: str = ALL,
) -> Calculator:
    """Return sliders over the levers, the segment, the worth of a point, and the prior's weight.

    Parameters
    ----------
    study : Study
    plan : Plan
    found : LeverSlopes
        By the data alone; the prior is mixed in where the slider says.
    steps : mapping of str to float
        Where the sliders stand at first; levers that are not named stand at 0.
    value, weight : float
    segment : str
        Where it has too few customers to be shown, the sliders start with all of them.

    Notes
    -----
    Without a prior that can be mixed in (``without_shares``) there is no slider for its weight.
    """
    start = dict(zip(plan.levers.codes, map(float, plan.levers.steps(dict(steps)))))
    names = lever_names(plan)
    shares = prior_shares(plan.prior).tolist() if without_shares(plan, found) is None else None
    levers = [
        {
            "code": code, "name": names[code], "slope": float(found.slopes.estimate[k]),
            "cost": float(plan.levers.cost[k]), "most": float(plan.levers.most[k]),
            "end": max(BEYOND * float(plan.levers.most[k]), start[code]), "start": start[code],
            "digits": _digits(start[code]),
        }
        for k, code in enumerate(plan.levers.codes)
    ]  # fmt: skip
    least = THRESHOLDS["group_size"]
    segments = [
        {"code": code, "name": name} | _rooms(plan.customers(code))
        for code, name in segment_names(study, plan).items()
        if code == ALL or least.holds(int((plan.segment == float(code)).sum()))
    ]
    if segment not in [one["code"] for one in segments]:
        segment = ALL
    data = {
        "levers": levers, "segments": segments, "segment": segment, "prior": shares,
        "cov": np.atleast_2d(np.cov(found.slopes.draws.T)).tolist(), "value": float(value),
        "weight": float(weight), "z": float(ndtri((1 + LEVEL) / 2)), "words": _words(plan),
    }  # fmt: skip
    return Calculator(data, start, plan, found, float(weight), float(value), segment)


def _digits(start: float) -> int:
    """Return the decimals of a lever's slider: one, or more where it starts between tenths."""
    several = range(1, FINEST + 1)
    return next((d for d in several if abs(start - round(start, d)) < 10.0**-FINEST / 2), FINEST)


def _rooms(levers: Levers) -> dict[str, Any]:
    """Return where a segment's customers stand, enough to compute every reach exactly.

    For each lever the distinct distances to the top of the scale with the share of customers.
    """
    rooms = []
    for k in range(len(levers.codes)):
        room, counts = np.unique(
            np.round(np.clip(levers.top[k] - levers.scores[:, k], 0, None), 6), return_counts=True
        )
        rooms.append([room.tolist(), (counts / counts.sum()).round(9).tolist()])
    spare = levers.scores.max(axis=0) - levers.scores.mean(axis=0)
    return {"n": len(levers.scores), "rooms": rooms, "spare": spare.round(6).tolist()}


def _words(plan: Plan) -> dict[str, str]:
    """Return the words of the form."""
    result = _(
        "Cost {cost}, net benefit {net} {money} a customer and year, {percent:g}% interval {low} "
        "to {high}. Chance that it pays: {pays}."
    )
    keep = {name: "{" + name + "}" for name in ("cost", "net", "low", "high", "pays")}
    return {
        "legend": _("What would it bring?"),
        "segment": _("Customers"),
        "value": _("Worth of one point ({money})").format(money=currency(plan)),
        "weight": _("Weight of the ratings"),
        "points": _("points"),
        "result": result.format(money=currency(plan), percent=100 * LEVEL, **keep),
        "outside": _("Beyond what the data or the plan hold: {levers}."),
        "comma": _(", "),
        "note": assumptions(plan),
    }


def form(data: Mapping[str, Any], sentence: str, *, key: str) -> str:
    """Return the form of a page; ``calculator.js`` makes it live.

    Every control has a label and works from the keyboard; the result is a live region. Without a
    script, and in print, the first position and its result stand there.
    """
    words = data["words"]
    rows = [
        _slider(
            f"{key}-{lever['code']}", lever["name"], lever["start"], lever["end"],
            10.0 ** -lever["digits"],
            f"{lever['start']:.{lever['digits']}f} {words['points']}", "lever",
        )
        for lever in data["levers"]
    ]  # fmt: skip
    # the value stands on the twentieth of forty steps
    top = 2 * data["value"] or 1.0
    shown = f"{data['value']:.15g}"
    rows.append(
        _slider(f"{key}-value", words["value"], data["value"], top, top / 40, shown, "value")
    )
    if data["prior"] is not None:
        shown = f"{100 * data['weight']:.0f}%"
        rows.append(
            _slider(f"{key}-weight", words["weight"], data["weight"], 1.0, 0.05, shown, "weight")
        )
    options = "".join(
        f'<option value="{html.escape(one["code"])}"'
        f"{' selected' if one['code'] == data['segment'] else ''}>"
        f"{html.escape(one['name'])} (n = {one['n']})</option>"
        for one in data["segments"]
    )
    place = html.escape(f"{key}-segment")
    rows.append(
        f'<p><label for="{place}">{html.escape(words["segment"])}</label>'
        f'<select id="{place}" data-part="segment">{options}</select></p>'
    )
    payload = html.escape(json.dumps(data, ensure_ascii=False, sort_keys=True))
    return (
        f'<form class="calculator" data-calculator="{payload}"><fieldset>'
        f"<legend>{html.escape(words['legend'])}</legend>{''.join(rows)}"
        f'<p class="outcome" role="status">{html.escape(sentence)}</p>'
        f'<p class="beyond" role="alert"></p><p class="table-note">{html.escape(words["note"])}</p>'
        "</fieldset></form>"
    )


def _slider(
    place: str, label: str, start: float, end: float, step: float, shown: str, part: str
) -> str:
    """Return one labelled slider with the value it stands at."""
    place = html.escape(place)
    return (
        f'<p><label for="{place}">{html.escape(label)}</label>'
        f'<input type="range" id="{place}" data-part="{part}" min="0" max="{end:.15g}" '
        f'step="{step:.15g}" value="{start:.15g}">'
        f'<output for="{place}">{html.escape(shown)}</output></p>'
    )
