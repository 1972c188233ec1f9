"""The practices of the TOP Guidelines 2025, filled from the run.

Seven research practices, two verification practices and four kinds of verification study. The
wording is the suite's own; the guidelines themselves stand at the Center for Open Science.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.i18n import _
from helpers.specification import one_text
from helpers.tables.apa import ApaTable
from helpers.tables.reporting import Point, checklist, stated

if TYPE_CHECKING:
    from helpers.survey.load import Study


def top_points(study: Study) -> list[Point]:
    """Return the practices with what the study file and this run say of each."""
    return [*_practices(study), *_verification(study), *_further_studies()]


def top_table(study: Study) -> ApaTable:
    """Return the table of the TOP Guidelines 2025."""
    return checklist(
        top_points(study),
        caption=_("Transparency and openness: the practices of the TOP Guidelines 2025"),
        note=_(
            "Whether a practice was followed can be seen by this program only for data, code and "
            "reporting; the rest is what the authors state in the study file."
        ),
    )


def _practices(study: Study) -> list[Point]:
    """Return the seven research practices."""
    part = _("Research practice")
    return [
        stated(study, part, _("registration of the study"), "registration"),
        stated(study, part, _("protocol, shared and dated"), "protocol"),
        stated(study, part, _("plan of the analysis, shared and dated"), "analysis_plan"),
        _materials(study, part),
        _data(study, part),
        _code(study, part),
        Point(
            part,
            _("reporting guideline followed and shown"),
            "answered",
            _("the JARS-Quant points for structural equation models stand in this report"),
            "95",
        ),
    ]


def _materials(study: Study, part: str) -> Point:
    """Return whether the questionnaire can be had."""
    if study.spec.statements.materials is not None:
        return stated(study, part, _("materials"), "materials")
    words = (study.items["wording_en"] + study.items["wording_zh"]).astype(bool).sum()
    text = _("the codebook holds the wording of {n} questions; say where it is deposited").format(
        n=int(words)
    )
    return Point(part, _("materials"), "partly" if words else "gap", text, "21")


def _data(study: Study, part: str) -> Point:
    """Return whether the data can be had."""
    if study.spec.statements.data is not None:
        return stated(study, part, _("data"), "data")
    source = study.spec.data
    text = _("licence: {licence}; say where they are deposited").format(
        licence=one_text(study.spec.licence)
    )
    if source is None:
        text = _("a published matrix, cited; single answers were never published")
    return Point(part, _("data"), "partly", text, "95")


def _code(study: Study, part: str) -> Point:
    """Return whether the code of the analysis can be had."""
    if study.spec.statements.code is not None:
        return stated(study, part, _("code of the analysis"), "code")
    text = _(
        "every notebook is rendered with its code, parameters, seeds and versions; say where the "
        "study file and the notebooks are deposited"
    )
    return Point(part, _("code of the analysis"), "partly", text, "95")


def _verification(study: Study) -> list[Point]:
    """Return the two verification practices."""
    part = _("Verification practice")
    simulated = study.is_simulated
    truth = _("the planted values of the simulation are found again")
    none = _("nobody independent has yet confirmed the results; name who did")
    return [
        Point(
            part,
            _("results checked by others"),
            "partly" if simulated else "gap",
            truth if simulated else none,
            "92" if simulated else "",
        ),
        Point(
            part,
            _("computational reproducibility"),
            "answered",
            _(
                "locked versions, hashed data, fixed seeds; the same run gives the same numbers, "
                "and other programs are run on the same models"
            ),
            "91",
        ),
    ]


def _further_studies() -> list[Point]:
    """Return the four kinds of verification study."""
    part = _("Verification study")
    absent = _("not part of one study; cite one if there is")
    return [
        Point(part, _("replication"), "not_applicable", absent),
        Point(part, _("registered report"), "not_applicable", absent),
        Point(
            part,
            _("multiverse: many defensible analyses of one data set"),
            "answered",
            _("a specification curve over estimators, exclusions, controls and items"),
            "90",
        ),
        Point(part, _("many analysts"), "not_applicable", absent),
    ]
