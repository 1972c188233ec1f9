"""Look at an export and say what it is, why, and what is only a guess."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from helpers import paths
from helpers.errors import DataContractError, SuiteError, listing
from helpers.i18n import _
from helpers.survey.readers import metadata
from helpers.survey.readers.cells import SIGNS, bare
from helpers.survey.readers.encodings import guess_encoding
from helpers.survey.readers.export import Export
from helpers.survey.readers.guesses import (
    Guess,
    guess_dates,
    guess_decimal,
    guess_delimiter,
)
from helpers.survey.readers.layout import Layout
from helpers.survey.readers.opening import Kind, kind_of, utf8_text
from helpers.survey.readers.reading import PLATFORMS, labelled, read_file, skip_separator_line
from helpers.survey.readers.recognise import Recognised, form_of, recognise
from helpers.survey.readers.top_rows import tidied
from helpers.survey.readers.workbook import Sheets, read_workbook

_SAMPLE = 1 << 22
_COLUMNS = 400
_IDS = ("respondent_id", "respondentid", "id", "caseid", "case_id", "case", "participant",
        "participant_id", "subject", "subject_id", "pid", "responseid", "response_id", "uid",
        "编号", "序号", "问卷编号", "样本编号")  # fmt: skip
_SECONDS = ("duration", "duration_s", "seconds", "timetaken", "time_taken", "duration (in seconds)",
            "用时", "所用时间", "interviewtime")  # fmt: skip
_STARTS = ("started_at", "starttime", "start_time", "start time", "startdate", "start_date",
           "start date", "started", "开始时间", "开始答题时间", "startzeit", "beginn")  # fmt: skip
_ENDS = ("ended_at", "endtime", "end_time", "end time", "enddate", "end_date", "end date", "ended",
         "submitdate", "submit_date", "submitted_at", "submitted", "completed_at", "结束时间",
         "提交时间", "提交答卷时间", "endzeit", "ende")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Detected:
    """What an export is.

    Attributes
    ----------
    reader : str
        One of ``specification.READERS``.
    form : {"text", "number", "mixed"}
        Whether choices stand as labels or as codes.
    encoding, delimiter, decimal : str
        Of a text file; the defaults otherwise.
    header_rows : int
        Rows above the first respondent; 0 where the header seems to be missing.
    sheet : str or None
        Of a workbook.
    guesses : tuple of Guess
        Everything found out, with reasons.
    dates : str
        Order of day and month.
    columns : Mapping[str, str]
        Metadata name -> column, for plain tables.
    """

    reader: str
    form: str
    encoding: str
    delimiter: str
    decimal: str
    header_rows: int
    sheet: str | None
    guesses: tuple[Guess, ...]
    dates: str = "year-first"
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        """Return what is needed to read the file."""
        return Layout(
            self.reader, self.encoding, self.delimiter, self.decimal, self.sheet, self.dates,
            self.columns,
        )  # fmt: skip

    def source_keys(self) -> dict[str, object]:
        """Return the keys for ``data:`` in study.yml; what equals the default is left out."""
        default = Layout(self.reader)
        keys: dict[str, object] = {"reader": self.reader}
        for name in ("encoding", "delimiter", "decimal", "sheet", "dates", "columns"):
            value = getattr(self, name)
            if value != getattr(default, name):
                keys[name] = dict(value) if name == "columns" else value
        return keys

    def text(self) -> str:
        """Return what was detected and why, one sentence a line, in the current language."""
        return "\n".join(guess.text() for guess in self.guesses)


def detect(path: Path, *, sheet: str | None = None) -> Detected:
    """Find out what an export is; nothing is read in silence.

    Parameters
    ----------
    path : Path
        A file from a survey platform or a statistics program, packed or not. What its name ends in
        is not looked at.
    sheet : str, optional
        Of a workbook; by default the visible one of most rows, the first of equal ones.

    Returns
    -------
    Detected

    Raises
    ------
    DataContractError
        The file is no table (a folder, a protected workbook, a PDF, ...), is damaged, or mixes
        encodings.

    Notes
    -----
    The first 4 MB of a text file are looked at, and all of it for the encoding. Checked on real
    exports of Qualtrics and Wenjuanxing, on files written by hand after the other platforms'
    documentation, and on files written by pyreadstat.
    """
    path = Path(path)
    place = paths.shown(path)
    kind = kind_of(path, place)
    if kind in ("spss", "stata"):
        return _program(path, kind, place)
    if kind == "workbook":
        rows, sheets, _findings = read_workbook(path, place, sheet=sheet)
        start = {"sheet": sheets.chosen}
        guesses = [_sheet(sheets, sheet)]
    else:
        rows, start, guesses = _text_file(path, place)
    return _described(rows, start, guesses, place)


def read_export(path: Path, detected: Detected | None = None) -> Export:
    """Read an export without a study, by what was detected (or is detected now).

    Raises
    ------
    DataContractError
        As ``detect``; and where columns share a name or records are cut short.
    """
    path = Path(path)
    found = detect(path) if detected is None else detected
    return read_file(path, found.layout, paths.shown(path))


def _program(path: Path, kind: Kind, place: str) -> Detected:
    """Return what a file of a statistics program is."""
    found = labelled(path, Layout(kind), place)
    why = _("the file begins as this program's files do")
    guesses = [Guess("reader", kind, why)]
    encoding = "utf-8"
    if found.findings and found.encoding != "utf-8":
        encoding = found.encoding.lower()
    said = _("its texts read well in it") if encoding != "utf-8" else _("the file says so itself")
    guesses.append(
        Guess("encoding", found.encoding, said, encoding == "utf-8", ("utf-8", "cp1252"))
    )
    return Detected(kind, "number", encoding, ",", ".", 1, None, tuple(guesses))


def _sheet(sheets: Sheets, asked: str | None) -> Guess:
    """Return the guess on the sheet of a workbook."""
    if asked is not None:
        return Guess("sheet", sheets.chosen, _("it was asked for"))
    why = _("it is the only visible sheet that holds cells")
    if sheets.others and not sheets.first:
        why = _("it holds the most rows of {n} visible sheets").format(n=len(sheets.others) + 1)
    elif sheets.others:
        why = _("it is the first of {n} visible sheets").format(n=len(sheets.others) + 1)
    if sheets.hidden:
        why += _("; hidden sheets are not read: {names}").format(names=listing(sheets.hidden))
    sure = not (sheets.others or sheets.hidden)
    return Guess("sheet", sheets.chosen, why, sure, (*sheets.others, *sheets.hidden))


def _text_file(path: Path, place: str) -> tuple[pd.DataFrame, dict[str, str], list[Guess]]:
    """Return the first rows of a text file, how it is written, and why."""
    encoding = guess_encoding(path, place)
    with utf8_text(path, encoding.name, place) as handle:
        named = skip_separator_line(handle)
        sample = handle.read(_SAMPLE)
        whole = not handle.read(1)
    text = sample.decode("utf-8", errors="ignore")
    sign = guess_delimiter(text, named)
    guesses = [
        Guess("encoding", encoding.name, encoding.because, encoding.sure, encoding.others), sign,
    ]  # fmt: skip
    delimiter = next(s for s, name in SIGNS.items() if name == sign.found)
    rows, _findings = tidied(_sampled(text, delimiter, whole, place), place)
    return rows, {"encoding": encoding.name, "delimiter": delimiter}, guesses


def _sampled(text: str, delimiter: str, whole: bool, place: str) -> pd.DataFrame:
    """Return the records of a sample; short ones are filled, for looking only."""
    try:
        records = [r for r in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if r]
    except csv.Error as error:
        raise DataContractError(
            f"read_source: file= {place} cannot be split into cells ({error}); a table with column "
            "names in its first row is needed. Look for an unclosed quote."
        ) from None
    if not whole and len(records) > 1:
        records = records[:-1]
    width = len(records[0])
    filled = [(list(map(bare, r)) + [""] * width)[:width] for r in records]
    return pd.DataFrame(filled, dtype=object)


def _described(
    rows: pd.DataFrame, start: dict[str, str], guesses: list[Guess], place: str
) -> Detected:
    """Return the description of a table: platform, form, decimal sign, dates, columns."""
    found = recognise(rows)
    some = rows.iloc[:, :_COLUMNS]
    body = some.iloc[found.header_rows :]
    dates = guess_dates(body, found.reader, stamp=str(rows.iloc[0, 0]).strip())
    decimal = guess_decimal(body, start.get("delimiter", ","))
    columns, said = _columns(rows, found)
    layout = Layout(found.reader, dates=dates.found if dates else "year-first", columns=columns)
    form, why = _form(some, layout, place)
    guesses = [
        Guess("reader", found.reader, found.because, found.sure, found.others), *guesses,
        *([dates] if dates else []), *([decimal] if decimal else []), *said,
        Guess("form", form, why, form != "mixed", ("text", "number") if form == "mixed" else ()),
    ]  # fmt: skip
    return Detected(
        found.reader, form, start.get("encoding", "utf-8"), start.get("delimiter", ","),
        decimal.found if decimal else ".", found.header_rows, start.get("sheet"), tuple(guesses),
        layout.dates, columns,
    )  # fmt: skip


def _form(rows: pd.DataFrame, layout: Layout, place: str) -> tuple[str, str]:
    """Return the form of the answers and the reason."""
    try:
        export = PLATFORMS[layout.reader](rows, place, layout)
    except SuiteError:  # said when the file is read; the form is then not known
        return "mixed", _("the columns cannot be told apart yet")
    form = form_of(export.answers, frozenset(export.tokens))
    return form, {
        "number": _("columns with few distinct answers hold numbers"),
        "text": _("columns with few distinct answers hold words"),
        "mixed": _("some columns with few distinct answers hold numbers and others words"),
    }[form]


def _columns(rows: pd.DataFrame, found: Recognised) -> tuple[dict[str, str], list[Guess]]:
    """Return the metadata columns of a plain table, each with its reason."""
    if found.reader != "csv" or found.header_rows != 1:
        return {}, []
    names = {str(c).strip().casefold(): (str(c).strip(), i) for i, c in enumerate(rows.iloc[0])}
    columns, guesses = {}, []
    for canonical, known in (
        ("respondent_id", _IDS), ("started_at", _STARTS), ("ended_at", _ENDS),
        ("duration_s", _SECONDS),
    ):  # fmt: skip
        hit = next((names[n] for n in known if n in names), None)
        if hit is None:
            continue
        cells = rows.iloc[1:, hit[1]].astype("str").str.strip()
        if canonical == "respondent_id" and (cells.duplicated().any() or (cells == "").any()):
            why = _("its name says so, but its cells are not all different; it is not taken")
            guesses.append(Guess(f"columns.{canonical}", _("none"), why, False, (hit[0],)))
            continue
        if canonical in ("started_at", "ended_at") and not _are_times(cells):
            continue
        if canonical == "duration_s" and metadata.parse_seconds(cells[cells != ""]).isna().any():
            continue
        columns[canonical] = hit[0]
        why = _("its name says so and its cells fit")
        sure = hit[0] == canonical
        others = () if sure else (_("none"),)
        guesses.append(Guess(f"columns.{canonical}", hit[0], why, sure, others))
    return columns, guesses


def _are_times(cells: pd.Series) -> bool:
    """Tell whether all filled cells of a column are times, in whatever order of day and month."""
    filled = cells[cells != ""]
    return len(filled) > 0 and bool(metadata.parse_times(filled, order="day-first").notna().all())
