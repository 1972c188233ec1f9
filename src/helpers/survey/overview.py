"""A study at a glance: its hypotheses and constructs as tables with a sentence each."""

from __future__ import annotations

import pandas as pd

from helpers.i18n import _, pick
from helpers.study import StudyFolder


def role_label(role: str) -> str:
    """Return the name of a construct's role in the current language."""
    labels = {
        "failure": _("failure"),
        "recovery": _("recovery"),
        "justice": _("justice"),
        "emotion": _("emotion"),
        "satisfaction": _("satisfaction"),
        "mediator": _("mediator"),
        "outcome": _("outcome"),
        "driver": _("driver"),
        "quality": _("quality"),
        "context": _("context"),
        "control": _("control"),
        "marker": _("marker variable"),
    }
    return labels.get(role, _("other"))


def sign_label(sign: str) -> str:
    """Return an expected sign in words."""
    labels = {
        "+": _("positive"),
        "-": _("negative"),
        "different": _("groups differ"),
        "none": _("none"),
    }
    return labels[sign]


def hypotheses(study: StudyFolder) -> pd.DataFrame:
    """Return one row a hypothesis: name, text, expected sign, and the notebook that answers it."""
    columns = [_("Hypothesis"), _("Statement"), _("Expected"), _("Notebook")]
    rows = [
        (h.id, pick(h.text.model_dump()), sign_label(h.sign), h.notebook or "–")
        for h in study.spec.hypotheses
    ]
    return pd.DataFrame(rows, columns=columns)


def hypotheses_caption() -> str:
    """Return the caption of the table of hypotheses."""
    return _("Hypotheses of the study, with the sign that is expected")


def hypotheses_sentence(study: StudyFolder) -> str:
    """Return a sentence that counts the hypotheses."""
    count = len(study.spec.hypotheses)
    if count == 0:
        return _("The study file states no hypotheses.")
    return _("Hypotheses stated by the study: {count}; with a direction: {signed}.").format(
        count=count, signed=sum(h.sign in "+-" for h in study.spec.hypotheses)
    )


def constructs(study: StudyFolder) -> pd.DataFrame:
    """Return one row a construct: code, name, role, number of items and of reversed items."""
    rows = []
    for construct in study.spec.constructs:
        own = study.items[study.items["construct"] == construct.code]
        items = _questions(study, construct.code)
        if construct.facets:
            items = " + ".join(construct.facets)
        rows.append(
            (
                construct.code,
                pick(construct.name.model_dump()),
                role_label(construct.role),
                items,
                int(own["reverse"].sum()),
            )
        )
    columns = [_("Code"), _("Construct"), _("Role"), _("Items"), _("Reverse-worded")]
    return pd.DataFrame(rows, columns=columns)


def constructs_caption() -> str:
    """Return the caption of the table of constructs."""
    return _("Constructs and the number of questions that measure each")


def constructs_sentence(study: StudyFolder) -> str:
    """Return a sentence that counts constructs and items."""
    measured = study.items[study.items["construct"] != ""]
    if measured.empty:
        return _("The study holds {count} constructs, published as scale scores.").format(
            count=len(study.spec.constructs)
        )
    total = sum(_questions(study, code) for code in study.construct_codes)
    return _("{items} questions measure {count} constructs.").format(
        items=total, count=len(study.spec.constructs)
    )


def _questions(study: StudyFolder, construct: str) -> int:
    """Return the number of questions: as published where the codebook's rows are scale scores."""
    own = int((study.items["construct"] == construct).sum())
    return study.published_items(construct) or own
