"""One instrument in the form of a platform; and where its answers will stand in the export."""

from __future__ import annotations

from collections.abc import Callable

from helpers.errors import ReportError, listing, nearest
from helpers.survey.questionnaire.instrument import Instrument
from helpers.survey.questionnaire.limesurvey import limesurvey_columns, limesurvey_text
from helpers.survey.questionnaire.printed import html_text
from helpers.survey.questionnaire.qualtrics import qualtrics_columns, qualtrics_text
from helpers.survey.questionnaire.wjx import wjx_columns, wjx_text

FORMATS = {
    "docx": "docx", "html": "html", "qualtrics": "txt", "limesurvey": "txt", "wjx": "txt",
}  # fmt: skip
"""Form -> ending of its file."""

_TEXTS: dict[str, Callable[[Instrument], str]] = {
    "html": html_text,
    "qualtrics": qualtrics_text,
    "limesurvey": limesurvey_text,
    "wjx": wjx_text,
}
_COLUMNS: dict[str, Callable[[Instrument], dict[str, str]]] = {
    "qualtrics": qualtrics_columns,
    "limesurvey": limesurvey_columns,
    "wjx": wjx_columns,
}


def render_text(instrument: Instrument, form: str) -> str:
    """Return the questionnaire as the text of a form (all but docx, which the report room makes).

    Raises
    ------
    ReportError
        Unknown form.
    """
    if form not in _TEXTS:
        raise ReportError(
            f"render_text: form= '{form}' is not known; allowed are {listing(_TEXTS)}."
            f"{nearest(form, _TEXTS)}"
        )
    return _TEXTS[form](instrument)


def columns_of(instrument: Instrument, form: str) -> dict[str, str]:
    """Return item -> column of the platform's export; empty for paper forms.

    Items that nobody is asked stand under their own name, if the platform passes them on so.
    """
    return _COLUMNS[form](instrument) if form in _COLUMNS else {}
