"""Tables of what came in: how the file was read, and what was not read from it."""

from __future__ import annotations

import pandas as pd

from helpers.errors import Unavailable, listing
from helpers.i18n import _
from helpers.results import CheckResult
from helpers.specification import Source
from helpers.survey.load import Study
from helpers.survey.readers import Intake
from helpers.tables.apa import ApaTable, apa_table
from helpers.tables.columns import Column
from helpers.tables.numbers import format_integer

NAMES_SHOWN = 8


def platform_label(reader: str) -> str:
    """Return a reader's name in the current language."""
    names = {"wenjuanxing": _("Wenjuanxing"), "csv": _("table of codes")}
    return names.get(reader, reader.replace("_", " ").capitalize())


def source_table(study: Study) -> ApaTable | Unavailable:
    """Return what the file is, as the study file declares it and as it was read."""
    source, intake = study.spec.data, study.intake
    if source is None:
        return Unavailable(_("a description of the file"), _("the study has no respondents"))
    blank = int(intake.answers.isna().to_numpy().sum())
    rows = [
        *_declared(source),
        (_("Rows received"), format_integer(intake.n_rows)),
        (_("Answer columns"), format_integer(intake.answers.shape[1])),
        (_("Columns not read"), format_integer(len(intake.dropped))),
        (_("Blank cells"), format_integer(blank)),
    ]
    return apa_table(
        pd.DataFrame(rows, columns=["what", "found"]),
        caption=_("The file and how it was read"),
        columns=[Column("what", _("What"), "text"), Column("found", _("Found"), "text")],
        note=_(
            "The file must agree with its checksum (SHA-256) in the study file, or nothing is read."
        ),
    )


def _declared(source: Source) -> list[tuple[str, str]]:
    """Return what the study file says of the file."""
    separators = {",": _("comma"), ";": _("semicolon"), "\t": _("tab"), "|": _("bar")}
    rows = [(_("Exported by"), platform_label(source.reader)), (_("Encoding"), source.encoding)]
    if source.delimiter:
        rows.append((_("Cells divided by"), separators.get(source.delimiter, source.delimiter)))
    return rows


def dropped_table(intake: Intake) -> ApaTable | Unavailable:
    """Return the columns that were not read, by the reason."""
    if not intake.dropped:
        return Unavailable(_("a table of columns not read"), _("every column was read"))
    why = pd.Series(dict(intake.dropped), name="why")
    table = why.groupby(why).agg(n="size", names=lambda x: listing(x.index, most=NAMES_SHOWN))
    table = table.rename_axis("why").reset_index().sort_values("n", ascending=False)
    return apa_table(
        table.assign(why=table["why"].map(_why_dropped)),
        caption=_("Columns of the file that were not read"),
        columns=[
            Column("why", _("Reason"), "text"),
            Column("n", _("Columns"), "integer"),
            Column("names", _("Names"), "text"),
        ],
        note=_("The cells of these columns do not enter the suite, whatever the codebook says."),
    )


def _why_dropped(why: str) -> str:
    """Return a reason for not reading a column in the current language."""
    known = {
        "direct identifier": _("identifies a person"),
        "platform column": _("record-keeping of the platform"),
    }
    return known.get(why, why)


def account_checks(study: Study) -> list[CheckResult]:
    """Check that every blank cell of an item has a reason, or is one the file left empty."""
    intake = study.intake
    named = intake.reasons.groupby("item").size()
    blank = intake.answers.isna().sum()
    items = [i for i in named.index if i in blank.index]
    lost = int((blank[items] - named[items]).abs().sum())
    return [
        CheckResult(
            _("Every blank cell has its reason"), lost == 0, float(lost), 0.0,
            _("definition of the cleaning log"),
            _("Blank cells without a reason on record: {n}; items concerned: {k}.").format(
                n=lost, k=len(items)
            ),
        )
    ]  # fmt: skip
