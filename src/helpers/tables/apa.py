"""The printed table: one DataFrame, its columns, caption and note, in four forms."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real

import pandas as pd

from helpers.errors import ReportError, Unavailable, nearest
from helpers.i18n import _
from helpers.results import Basis
from helpers.tables.columns import Column, resolve_columns
from helpers.tables.numbers import DASH, is_missing
from helpers.typeset import typeset

# Statistical symbols are set in italics (APA manual, section 6.44); Greek letters are not.
_SYMBOLS = frozenset(
    ("n", "N", "k", "M", "SD", "SE", "B", "b", "d", "t", "z", "F", "r", "p", "df", "df1", "df2",
     "R²", "ΔR²")
)  # fmt: skip
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_RULE = "border-top:1.5px solid currentColor"
_THIN = "border-bottom:1px solid currentColor"
_END = "border-bottom:1.5px solid currentColor"


@dataclass(frozen=True, slots=True)
class ApaTable:
    """A table ready to print.

    Attributes
    ----------
    frame : DataFrame
        The numbers as they were given, unrounded.
    columns : tuple of Column
    caption : str
    note : str
        Sentences below the table, with the reason of each cell that could not be computed.
    number : int or None
        Table number; None leaves the numbering to the report.
    cells : tuple of tuple of str
        What is printed, row by row.
    sections : tuple of (int, str)
        Sub-headings: row before which each stands, and its text.
    basis : Basis or None
        N, estimator and kind of standard error, for ``results.json``; not printed.
    """

    frame: pd.DataFrame
    columns: tuple[Column, ...]
    caption: str
    note: str
    number: int | None
    cells: tuple[tuple[str, ...], ...]
    sections: tuple[tuple[int, str], ...] = ()
    basis: Basis | None = None

    @property
    def title(self) -> str:
        """The caption with its number, if there is one."""
        if self.number is None:
            return self.caption
        return _("Table {number}. {caption}").format(number=self.number, caption=self.caption)

    def html(self) -> str:
        """Return a three-line table; alignment stands on each cell, so that Word keeps it."""
        head = "".join(_heading(column) for column in self.columns)
        rows = "".join(self._html_rows())
        note = f'<p class="table-note"><em>{_("Note.")}</em> {_escape(self.note)}</p>'
        return (
            '<div class="apa-table"><table style="border-collapse:collapse">'
            f"<caption>{_escape(self.title)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            f"{note if self.note else ''}</div>"
        )

    def _html_rows(self) -> list[str]:
        """Return the body rows, sub-headings between them."""
        headings = dict(self.sections)
        rows = []
        for i, texts in enumerate(self.cells):
            if i in headings:
                rows.append(
                    f'<tr><td colspan="{len(self.columns)}" style="text-align:left">'
                    f"<em>{_escape(headings[i])}</em></td></tr>"
                )
            style = _END if i == len(self.cells) - 1 else ""
            cells = (
                _html_cell("td", text, column.align, style)
                for text, column in zip(texts, self.columns, strict=True)
            )
            rows.append(f"<tr>{''.join(cells)}</tr>")
        return rows

    def _repr_html_(self) -> str:
        return self.html()

    def markdown(self) -> str:
        """Return a pipe table with caption and note."""
        marks = {"left": ":---", "right": "---:", "center": ":---:"}
        headings = dict(self.sections)
        lines = [f"**{_pipe(self.title)}**", "", _pipe_row(c.label for c in self.columns)]
        lines.append("|" + "|".join(marks[c.align] for c in self.columns) + "|")
        for i, texts in enumerate(self.cells):
            if i in headings:
                lines.append(_pipe_row([headings[i]] + [""] * (len(self.columns) - 1)))
            lines.append(_pipe_row(texts))
        if self.note:
            lines += ["", f"*{_('Note.')}* {_pipe(self.note)}"]
        return "\n".join(lines) + "\n"

    __str__ = markdown

    def csv(self) -> str:
        """Return the unrounded numbers under their machine names.

        Text that a spreadsheet would run as a formula (first character ``= + - @``, tab or
        return) gets an apostrophe in front. A value that is not available is left blank.
        """
        keys = [str(k) for k in self.frame.columns]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([_neutral(key) for key in keys])
        for values in self.frame.itertuples(index=False, name=None):
            writer.writerow([_csv_cell(value) for value in values])
        return out.getvalue()

    def to_dict(self) -> dict[str, object]:
        """Return a JSON-safe dictionary: caption, note, headings and unrounded rows."""
        return {
            "caption": self.caption,
            "number": self.number,
            "note": self.note,
            "columns": [{"key": list(c.keys), "label": c.label, "kind": c.kind}
                        for c in self.columns],
            "rows": [
                {str(key): _plain(value) for key, value in zip(self.frame.columns, values)}
                for values in self.frame.itertuples(index=False, name=None)
            ],
        }  # fmt: skip


def apa_table(
    df: pd.DataFrame,
    *,
    caption: str,
    columns: Mapping[str, object] | Sequence[Column] | None = None,
    note: str | None = None,
    number: int | None = None,
    missing_reason: str | None = None,
    section: str | None = None,
    simulated: bool = False,
    basis: Basis | None = None,
) -> ApaTable:
    """Make a printable three-line table from a DataFrame of unrounded results.

    Parameters
    ----------
    df : DataFrame
        One row a line; snake_case columns. A cell may hold ``Unavailable``: it is printed as a
        dash with a letter, and its sentence stands in the note. The index is not printed.
    caption : str
        What the table shows, without a number and in the reader's language.
    columns : mapping, sequence of Column, or None
        Which columns, in which order; see ``columns.resolve_columns``. None prints all, with
        labels and formats guessed from the names.
    note : str, optional
        Abbreviations, n, level, method.
    number : int, optional
        Table number, for a document that does not number by itself.
    missing_reason : str, optional
        Why some numbers are blank; printed after the dash if any cell is missing.
    section : str, optional
        Text column whose runs of equal values become sub-headings.
    simulated : bool
        Say in the note that the data are simulated.
    basis : Basis, optional
        N, estimator and kind of standard error behind the numbers.

    Raises
    ------
    ReportError
        A column is named that the table does not have.

    Examples
    --------
    >>> rows = pd.DataFrame({"term": ["REC"], "estimate": [0.412], "p_value": [0.0004]})
    >>> apa_table(rows, caption="Paths").cells
    (('REC', '0.41', '< .001'),)
    """
    frame = df.reset_index(drop=True)
    chosen = resolve_columns(frame, list(columns) if _is_list(columns) else columns)
    reasons: list[str] = []
    # Not to_dict("records"), which would turn a bracketed number into a plain one.
    rows = (dict(zip(frame.columns, values)) for values in frame.itertuples(index=False, name=None))
    cells = tuple(_row_cells(row, chosen, reasons) for row in rows)
    chosen = tuple(replace(column, label=typeset(column.label)) for column in chosen)
    dashed = any(text == DASH for texts in cells for text in texts)
    parts = [note or ""]
    if dashed and missing_reason:
        parts.append(f"{DASH} {missing_reason.rstrip('.')}.")
    parts += [f"{_letter(i)} {reason}" for i, reason in enumerate(reasons)]
    parts.append(_("SIMULATED data.") if simulated else "")
    text = typeset(" ".join(part for part in parts if part))
    sections = _sections(frame, section)
    rests_on = basis or _counted(frame)
    return ApaTable(frame, chosen, typeset(caption), text, number, cells, sections, rests_on)


def _counted(frame: pd.DataFrame) -> Basis | None:
    """Return the N that all rows of a table share, if a column says it."""
    for key in ("n_used", "n_obs", "n"):
        counts = frame[key].drop_duplicates() if key in frame.columns else ()
        if len(counts) == 1 and isinstance(counts.iloc[0], Integral):
            return Basis(n_used=int(counts.iloc[0]))
    return None


def _is_list(columns: object) -> bool:
    """Tell a sequence of columns from a mapping."""
    return columns is not None and not isinstance(columns, Mapping)


def _row_cells(
    row: Mapping[str, object], columns: Sequence[Column], reasons: list[str]
) -> tuple[str, ...]:
    """Return the texts of a row; the reasons of unavailable cells are collected."""
    texts = []
    for column in columns:
        missing = next((row[k] for k in column.keys if isinstance(row[k], Unavailable)), None)
        if missing is None:
            texts.append(typeset(column.show(row)))
            continue
        reason = missing.text()
        if reason not in reasons:
            reasons.append(reason)
        texts.append(DASH + _letter(reasons.index(reason)))
    return tuple(texts)


def _letter(index: int) -> str:
    """Return the mark of a table note: superscript a, b, c, then numbers."""
    letters = "ᵃᵇᶜᵈᵉᶠᵍʰ"
    return letters[index] if index < len(letters) else f"({index + 1})"


def _sections(frame: pd.DataFrame, section: str | None) -> tuple[tuple[int, str], ...]:
    """Return where each run of equal values of a column starts."""
    if section is None:
        return ()
    if section not in frame.columns:
        raise ReportError(
            f"apa_table: section= is '{section}'; no such column."
            f"{nearest(section, frame.columns)} Name a text column of the table."
        )
    values = frame[section].astype(str).tolist()
    return tuple((i, typeset(v)) for i, v in enumerate(values) if i == 0 or v != values[i - 1])


def _heading(column: Column) -> str:
    """Return a heading cell; a statistical symbol stands in italics."""
    cell = _html_cell("th", column.label, column.align, f"{_RULE};{_THIN}", scope="col")
    if column.label not in _SYMBOLS:
        return cell
    return cell.replace(f">{column.label}<", f"><em>{column.label}</em><")


def _html_cell(tag: str, text: str, align: str, style: str, scope: str = "") -> str:
    """Return one table cell, its text escaped."""
    rules = ";".join(part for part in (f"text-align:{align}", "padding:2px 8px", style) if part)
    where = f' scope="{scope}"' if scope else ""
    return f'<{tag}{where} style="{rules}">{_escape(text)}</{tag}>'


def _escape(text: str) -> str:
    """Escape text for HTML, quotes included."""
    return html.escape(text, quote=True)


def _pipe(text: str) -> str:
    """Return text safe inside a Markdown pipe table."""
    plain = " ".join(str(text).split())
    for sign in ("\\", "|", "*", "_", "<", "`"):
        plain = plain.replace(sign, "\\" + sign)
    return plain


def _pipe_row(texts: Sequence[str]) -> str:
    """Return one line of a pipe table."""
    return "| " + " | ".join(_pipe(text) for text in texts) + " |"


def _neutral(text: str) -> str:
    """Return text that a spreadsheet does not run as a formula."""
    safe = "'" + text if text.startswith(_FORMULA_STARTS) else text
    # A lone return would end the line without being quoted.
    return safe.replace("\r\n", "\n").replace("\r", "\n")


def _csv_cell(value: object) -> object:
    """Return one CSV value: full precision, blanks for what is missing, text made harmless."""
    if is_missing(value) or isinstance(value, Unavailable):
        return ""
    if isinstance(value, bool | Integral):
        return value
    if isinstance(value, Real):
        return repr(float(value))
    return _neutral(str(value))


def _plain(value: object) -> object:
    """Return a value that JSON can hold."""
    if isinstance(value, Unavailable):
        return {"unavailable": value.what, "why": value.why}
    if is_missing(value):
        return None
    if isinstance(value, bool | str):
        return value
    if type(value).__name__ == "bool_":
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else str(value)
