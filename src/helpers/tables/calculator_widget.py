"""The sliders in JupyterLab: a thin layer over ``Calculator``; none where no kernel listens."""

from __future__ import annotations

import os
from typing import Any

from helpers.i18n import _
from helpers.tables.calculator import Calculator


def live() -> bool:
    """Tell whether somebody may move sliders: a kernel that Jupyter or an editor has opened.

    Jupyter names the session in the kernel's environment; a kernel run for a report has none.
    """
    from IPython import get_ipython

    shell = get_ipython()
    if not hasattr(shell, "kernel"):
        return False
    return "JPY_SESSION_NAME" in os.environ or "__vsc_ipynb_file__" in shell.user_ns


def widget(shown: Calculator) -> Any:
    """Return ipywidgets sliders whose movement writes the result anew."""
    import ipywidgets as widgets

    words, data = shown.data["words"], shown.data
    look = {"style": {"description_width": "14em"}, "layout": {"width": "38em"}}
    steps = {
        lever["code"]: widgets.FloatSlider(
            value=lever["start"], min=0.0, max=lever["end"], step=10.0 ** -lever["digits"],
            description=lever["name"], readout_format=f".{lever['digits']}f", **look,
        )
        for lever in data["levers"]
    }  # fmt: skip
    value = widgets.FloatText(value=shown.value, description=words["value"], **look)
    weight = widgets.FloatSlider(
        value=shown.weight, min=0.0, max=1.0 if data["prior"] else 0.0, step=0.05,
        description=words["weight"], readout_format=".0%", **look,
    )  # fmt: skip
    options = [(f"{one['name']} (n = {one['n']})", one["code"]) for one in data["segments"]]
    segment = widgets.Dropdown(
        options=options, value=data["segment"], description=words["segment"], **look
    )
    outcome = widgets.HTML()

    def show(_change: object = None) -> None:
        if value.value < 0:
            outcome.value = _("The worth of a point is 0 or more.")
            return
        moved = {code: one.value for code, one in steps.items()}
        outcome.value = shown.result(
            moved, weight=weight.value, value=value.value, segment=segment.value
        )

    controls = [*steps.values(), value, weight, segment]
    for control in controls:
        control.observe(show, names="value")
    show()
    return widgets.VBox([*controls, outcome])
