"""Write a study's questionnaire to a file, with the columns its answers will stand in."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path

import pypandoc

from helpers.errors import ReportError, listing, nearest
from helpers.i18n import _, in_language
from helpers.report.pandoc import ASSETS
from helpers.study import StudyFolder
from helpers.survey.questionnaire import FORMATS, columns_of, make_instrument, render_text
from helpers.survey.questionnaire.instrument import Instrument
from helpers.survey.questionnaire.printed import paper_html
from helpers.survey.questionnaire.steps import steps_by_hand
from helpers.survey.simulate.export import write_whole

_TAGS = {"en": "en-GB", "zh": "zh-CN"}


def write_questionnaire(
    study: StudyFolder,
    *,
    form: str,
    language: str = "en",
    module: str = "main",
    out: Path | None = None,
) -> tuple[list[Path], list[str]]:
    """Write the questionnaire, and beside it the columns of the platform's export.

    Parameters
    ----------
    study : StudyFolder
        Study file and codebook; respondents are not needed.
    form : str
        ``docx``, ``html``, ``qualtrics``, ``limesurvey`` or ``wjx``.
    language : str
        ``en`` or ``zh``.
    module : str
        ``main``, or a further questionnaire of the study.
    out : Path, optional
        The file, or a folder for it; ``<study>_questionnaire_<language>_<form>.<ending>`` here
        if not given.

    Returns
    -------
    (list of Path, list of str)
        Files written; what is left to be set by hand.

    Raises
    ------
    ReportError
        Unknown form, or the file cannot be written.
    CodebookError
        The study has no wordings.
    """
    if form not in FORMATS:
        raise ReportError(
            f"write_questionnaire: form= '{form}' is not known; allowed are {listing(FORMATS)}."
            f"{nearest(form, FORMATS)}"
        )
    name = f"{study.id}_questionnaire_{language}_{form}.{FORMATS[form]}"
    path = Path(name) if out is None else out / name if out.is_dir() else out
    with in_language(language):
        instrument = make_instrument(study, module=module)
        content = _docx(instrument) if form == "docx" else render_text(instrument, form).encode()
        columns = columns_of(instrument, form)
        steps = [*_published_means(study), *steps_by_hand(instrument, form)]
    files = [(path, content)]
    if columns:
        files.append((path.with_name(f"{path.stem}_columns.csv"), _table(columns)))
    try:
        for place, data in files:
            write_whole(place, data)
    except OSError as error:
        raise ReportError(
            f"write_questionnaire: out= '{path.name}' cannot be written ({error.strerror}); a "
            "file in a writable folder is needed. Choose another place."
        ) from None
    return [place for place, _data in files], steps


def _published_means(study: StudyFolder) -> list[str]:
    """Return what is left to do if the codebook lists scales in place of their items."""
    matrix = study.spec.matrix
    if matrix is None or max(matrix.n_items.values(), default=1) == 1:
        return []
    return [
        _("The questions stand for scales whose means were published; put the items of each scale "
          "in their place.")
    ]  # fmt: skip


def _docx(instrument: Instrument) -> bytes:
    """Return the questionnaire as a Word document in the suite's style."""
    with tempfile.TemporaryDirectory(prefix="study-docx-") as name:
        meta, document = Path(name) / "meta.json", Path(name) / "questionnaire.docx"
        meta.write_text(json.dumps({"title": instrument.title}), encoding="utf-8")
        options = [
            "--metadata-file", str(meta), "--metadata", f"lang={_TAGS[instrument.language]}",
            "--shift-heading-level-by=-1", "--quiet",
            "--reference-doc", str(ASSETS / "reference.docx"),
        ]  # fmt: skip
        try:
            pypandoc.convert_text(
                paper_html(instrument), "docx", format="html", extra_args=options,
                outputfile=str(document),
            )  # fmt: skip
        except RuntimeError as error:
            raise ReportError(f"pandoc: {error}.") from None
        return document.read_bytes()


def _table(columns: dict[str, str]) -> bytes:
    """Return item and column as CSV that spreadsheets open as UTF-8."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([("item", "column"), *columns.items()])
    return out.getvalue().encode("utf-8-sig")
