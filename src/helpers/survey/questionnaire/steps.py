"""What has to be set on the platform by hand, because its import file cannot carry it."""

from __future__ import annotations

from helpers.i18n import _
from helpers.survey.questionnaire.instrument import Condition, Instrument


def steps_by_hand(instrument: Instrument, form: str) -> list[str]:
    """Return what is left to do after the import, one sentence each, in the current language.

    Parameters
    ----------
    instrument : Instrument
        The questionnaire.
    form : str
        One of ``render.FORMATS``.
    """
    steps = [_("Fill in the brackets on the first page: who is responsible, approval, time kept.")]
    if instrument.untranslated:
        steps.append(
            _("Translate {items}: items.csv has no wording for them in this language.").format(
                items=", ".join(instrument.untranslated)
            )
        )
    if form in ("qualtrics", "wjx"):
        steps += [
            _("End the survey for everybody who does not choose {codes} in {item}.").format(
                codes=_codes(gate), item=gate.item
            )
            for gate in instrument.gates
        ]
        steps += [
            _("Show {item} only if {other} is {codes}.").format(
                item=question.name,
                other=question.shown_if.item,
                codes=_codes(question.shown_if),
            )
            for question in instrument.questions
            if question.shown_if is not None
        ]
    if form == "wjx" and instrument.passed_on:
        steps.append(
            _("Hand over {items} as link parameter sojumpparm; it arrives in 来源详情.").format(
                items=", ".join(instrument.passed_on)
            )
        )
    if form in ("qualtrics", "limesurvey", "wjx"):
        steps.append(
            _("Copy the names of the file with the columns into the column `column` of items.csv.")
        )
    return steps


def _codes(condition: Condition) -> str:
    return " / ".join(str(code) for code in condition.codes)
