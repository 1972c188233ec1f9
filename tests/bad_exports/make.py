"""Make broken and odd exports, small and by name.

`python tests/bad_exports/make.py DIR` writes them all into a folder.
Every file is written by hand here; no respondent is real.
"""

from __future__ import annotations

import csv
import gzip
import io
import struct
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pyreadstat

HEADER = ["id", "sat1", "sat2", "age"]
ROWS = [["1", "5", "6", "30"], ["2", "7", "7", "41"], ["3", "3", "2", "52"]]
CHINESE = "编号,您对处理结果满意吗,年龄\n1,非常满意,三十岁\n2,不太满意,四十一岁\n3,一般,五十二岁\n"
Q_NAMES = [
    "StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)", "Finished",
    "RecordedDate", "ResponseId", "DistributionChannel", "UserLanguage", "Q1",
]  # fmt: skip
Q_LABELS = [
    "Anfangsdatum", "Enddatum", "Antworttyp", "IP-Adresse", "Fortschritt", "Dauer", "Beendet",
    "Erfassungsdatum", "Antwort-ID", "Verteilungskanal", "Benutzersprache", "Fair?",
]  # fmt: skip
Q_IDS = [
    "startDate", "endDate", "status", "ipAddress", "progress", "duration", "finished",
    "recordedDate", "_recordId", "distributionChannel", "userLanguage", "QID1",
]  # fmt: skip
MONKEY = ["Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address", "How fair?"]


def text(rows: list[list[str]], sign: str = ",", end: str = "\n") -> str:
    """Return rows as delimited text."""
    out = io.StringIO()
    csv.writer(out, delimiter=sign, lineterminator=end).writerows(rows)
    return out.getvalue()


def table(*extra: list[str], header: list[str] | None = None) -> str:
    """Return the plain table with further rows."""
    return text([header or HEADER, *ROWS, *extra])


def qualtrics(
    rows: int = 3, headers: int = 3, *, names: list[str] | None = None, **cells: str
) -> str:
    """Return a Qualtrics export; ``cells`` overwrites every row's cell, by column name."""
    top = [names or Q_NAMES, Q_LABELS, [f'{{"ImportId":"{i}"}}' for i in Q_IDS]][:headers]
    body = []
    for i in range(rows):
        row = [f"2026-03-02 09:1{i}:00", f"2026-03-02 09:2{i}:00", "IP Address", "192.0.2.7", "100",
               "600", "True", "2026-03-02 09:30:00", f"R_aaaaaaaaaaaaaa{i}", "anonymous", "EN",
               str(i + 3)]  # fmt: skip
        body.append([cells.get(n, c) for n, c in zip(Q_NAMES, row, strict=True)])
    return text([*top, *body])


def monkey(dates: list[str], ids: list[str] | None = None) -> str:
    """Return a SurveyMonkey export with these start and end dates."""
    named = ids or [str(118000000123 + i) for i in range(len(dates))]
    rows = [[n, "46", d, d, "192.0.2.1", str(3 + i)] for i, (n, d) in enumerate(zip(named, dates))]
    return text([MONKEY, ["", "", "", "", "", "Response"], *rows])


def workbook(fill: Callable[[openpyxl.Workbook], None]) -> bytes:
    """Return an XLSX file with the plain table, changed by a function."""
    book = openpyxl.Workbook()
    for row in [HEADER, *[[int(c) for c in row] for row in ROWS]]:
        book.active.append(row)
    fill(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def zipped(**members: bytes) -> bytes:
    """Return a zip file; a double underscore stands for the dot in a name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return out.getvalue()


def statistics(kind: str, **options: object) -> bytes:
    """Return the plain table as an SPSS or Stata file."""
    frame = pd.DataFrame([[float(c) for c in r] for r in ROWS], columns=HEADER)
    write = {"sav": pyreadstat.write_sav, "dta": pyreadstat.write_dta}[kind]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file.{kind}"
        write(frame, str(path), **options)
        return path.read_bytes()


def _forged_sizes(content: bytes) -> bytes:
    """Return a zip file whose directory declares three gigabytes for its first member."""
    at = content.index(b"PK\x01\x02")
    return content[: at + 24] + struct.pack("<I", 3_000_000_000) + content[at + 28 :]


def _computed(content: bytes) -> bytes:
    """Return a workbook whose formulas carry stored values, as spreadsheet programs write them."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.infolist():
            data = old.read(member).replace(b"<v></v>", b"<v>9</v>").replace(b"<v />", b"<v>9</v>")
            new.writestr(member, data)
    return out.getvalue()


def _encrypted_flag(content: bytes) -> bytes:
    """Return a zip file whose members are flagged as encrypted."""
    data = bytearray(content)
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _second_sheet(book: openpyxl.Workbook, state: str) -> None:
    sheet = book.create_sheet("older")
    sheet.append(HEADER)
    sheet.append([9, 9, 9, 9])
    sheet.sheet_state = state


def _only_hidden(book: openpyxl.Workbook) -> None:
    _second_sheet(book, "hidden")
    book.active.delete_rows(1, 10)


def _hide_rows(book: openpyxl.Workbook) -> None:
    book.active.row_dimensions[3].hidden = True
    book.active.row_dimensions[40].hidden = True  # it holds nothing


def _filter_rows(book: openpyxl.Workbook) -> None:
    book.active.auto_filter.ref = "A1:D4"
    book.active.auto_filter.add_filter_column(1, ["5"])
    for row in (3, 4):
        book.active.row_dimensions[row].hidden = True


def _hide_columns(book: openpyxl.Workbook) -> None:
    book.active.column_dimensions.group("B", "C", hidden=True)
    book.active.column_dimensions["Z"].hidden = True  # it holds nothing


def _set(cell: str, value: object) -> Callable[[openpyxl.Workbook], None]:
    return lambda book: book.active.__setitem__(cell, value)


_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WIDE = [f"q{i}" for i in range(10_000)]

FILES: dict[str, Callable[[], bytes | str]] = {
    # no table at all
    "empty.csv": lambda: b"",
    "blank_lines.csv": lambda: "\n\n \n",
    "pdf.csv": lambda: b"%PDF-1.7\n%\xe2\xe3\n1 0 obj",
    "picture.csv": lambda: b"\x89PNG\r\n\x1a\n0000",
    "login_page.xls": lambda: "<!DOCTYPE html><html><body>Sign in</body></html>",
    "answers.json": lambda: '{"responses": []}',
    "feed.xml": lambda: '<?xml version="1.0"?><responses/>',
    "archive.rar": lambda: b"Rar!\x1a\x07\x01\x00",
    "document.docx": lambda: zipped(**{"[Content_Types]__xml": b"<x/>", "word/document__xml": b""}),
    "two_tables.zip": lambda: zipped(a__csv=b"a\n1\n", b__csv=b"b\n1\n"),
    "locked.zip": lambda: _encrypted_flag(zipped(a__csv=table().encode())),
    "bomb_by_size.xlsx": lambda: _forged_sizes(zipped(**{"xl/workbook__xml": b"0" * 99})),
    "bomb.csv.gz": lambda: gzip.compress(bytes(80 << 20), 1),
    "password.xlsx": lambda: _OLE + bytes(504) + "EncryptedPackage".encode("utf-16-le"),
    "broken.xls": lambda: _OLE + bytes(1000),
    "nul_bytes.csv": lambda: table() + "4,\x00,1,2\n",
    # cut off or damaged
    "cut.xlsx": lambda: workbook(lambda book: None)[:2500],
    "cut.csv.gz": lambda: gzip.compress((table() * 50).encode())[:-20],
    "cut.sav": lambda: statistics("sav")[:300],
    "cut.dta": lambda: statistics("dta")[:300],
    "cut_row.csv": lambda: table(["4", "5"]),
    "cut_character.csv": lambda: CHINESE.encode()[:-3],
    # header
    "header_only.csv": lambda: text([HEADER]),
    "no_header.csv": lambda: text(ROWS),
    "header_doubled.csv": lambda: text([HEADER, HEADER, *ROWS]),
    "joined.csv": lambda: table() + table(["9", "1", "1", "20"]),
    "joined_qualtrics.csv": lambda: qualtrics() + qualtrics(),
    "same_names.csv": lambda: table(header=["id", "sat1", "sat1", "age"]),
    "unnamed_column.csv": lambda: table(header=["id", "", "sat2", "age"]),
    "row_names.csv": lambda: table(header=["", "sat1", "sat2", "age"]),
    "wide.csv": lambda: text([_WIDE, ["3"] * 10_000, ["4"] * 10_000]),
    "long_header.csv": lambda: '"' + "a" * 200_000 + "\n1\n",
    "labels_over_names.csv": lambda: qualtrics(names=Q_LABELS, headers=1),
    "labels_and_ids.csv": lambda: qualtrics(names=Q_LABELS),
    "no_label_rows.csv": lambda: qualtrics(headers=1),
    "monkey_one_row.csv": lambda: text([MONKEY]),
    "wjx_lacks_time.csv": lambda: "序号,所用时间,1、满意吗\n1,20秒,5\n2,30秒,4\n",
    "form_same_titles.csv": lambda: (
        "Timestamp,Why?,Why?\n2026/03/02 9:14:55 AM GMT+8,a,b\n2026/03/02 9:15:55 PM GMT+8,c,d\n"
    ),
    # cells
    "stray_comma.csv": lambda: table(["4", "5", "5", "30", "x"]),
    "missing_cell.csv": lambda: text([HEADER, ["1", "5", "6"], *ROWS[1:]]),
    "open_quote.csv": lambda: table() + '4,"5,5,30\n5,5,5,30\n',
    "semicolons.csv": lambda: text([HEADER, *ROWS], ";"),
    "tabs.csv": lambda: text([HEADER, *ROWS], "\t"),
    "bars.csv": lambda: text([HEADER, *ROWS], "|"),
    "named_separator.csv": lambda: "sep=;\n" + text([HEADER, *ROWS], ";"),
    "two_separators.csv": lambda: "a;b,c;d\n1;2,3;4\n5;6,7;8\n",
    "decimal_comma.csv": lambda: text([["id", "hours"], ["1", "1,25"], ["2", "12,50"]], ";"),
    "decimal_or_list.csv": lambda: text([["id", "q"], ["1", "1,2"], ["2", "2,3"]]),
    "decimal_mixed.csv": lambda: text([["id", "h"], ["1", "1,25"], ["2", "1.25"]], ";"),
    "old_mac_lines.csv": lambda: text([HEADER, *ROWS], end="\r"),
    "numbers_and_words.csv": lambda: table(["4", "agree", "5", "30"]),
    "missing_codes.csv": lambda: table(["4", "-99", "99", "30"]),
    "blank_column.csv": lambda: text([[*HEADER, "q"], *[[*r, ""] for r in ROWS]]),
    "spreadsheet_errors.csv": lambda: table(["4", "#REF!", "5", "30"]),
    # encodings
    "gb18030.csv": lambda: CHINESE.encode("gb18030"),
    "utf16.csv": lambda: CHINESE.encode("utf-16"),
    "utf16_without_mark.csv": lambda: table().encode("utf-16-be"),
    "latin.csv": lambda: "id,grund\n1,zu spät geliefert\n2,Größe falsch\n3,müde\n".encode("cp1252"),
    "mixed_encodings.csv": lambda: CHINESE.encode() + CHINESE.encode("gb18030"),
    # times and ids
    "dates_in_three_forms.csv": lambda: monkey(
        ["2026-03-02 09:14:55", "13.03.2026 09:14", "2026年3月2日 9:14", "03/02/2026 09:14:55"]
    ),
    "dates_either_way.csv": lambda: monkey(["03/02/2026 09:14:55", "04/05/2026 09:15:00"]),
    "dates_both_ways.csv": lambda: monkey(["13/02/2026 09:14:55", "02/14/2026 09:15:00"]),
    "dates_no_date.csv": lambda: qualtrics(StartDate="soon"),
    "durations_unread.csv": lambda: qualtrics(**{"Duration (in seconds)": "long"}),
    "ids_rounded.csv": lambda: monkey(["2026-03-02 09:14:55"] * 2, ["1.18E+11", "1.18E+11"]),
    "ids_twice.csv": lambda: qualtrics(ResponseId="R_aaaaaaaaaaaaaaa"),
    "ids_blank.csv": lambda: qualtrics(ResponseId=""),
    "id_column_not_unique.csv": lambda: table(["3", "5", "5", "30"]),
    "rows_twice.csv": lambda: text(
        [["id", *"abcdef"], ["1", *"123456"], ["2", *"123456"], ["3", *"654321"]]
    ),
    # persons
    "e_mails.csv": lambda: text([["id", "q7"], *[[str(i), f"p{i}@example.org"] for i in range(4)]]),
    "phones.csv": lambda: text([["id", "q7"], *[[str(i), f"1380013800{i}"] for i in range(4)]]),
    "addresses.csv": lambda: text([["id", "q7"], *[[str(i), f"192.0.2.{i}"] for i in range(4)]]),
    "identity_cards.csv": lambda: text([["id", "q7"], ["1", "11010519491231002X"], ["2", ""]]),
    "e_mail_in_text.csv": lambda: table(
        ["4", "write to me: p@example.org", "5", "30"], header=["id", "why", "sat2", "age"]
    ),
    # workbooks
    "empty_sheet.xlsx": lambda: workbook(lambda book: book.active.delete_rows(1, 10)),
    "only_hidden.xlsx": lambda: workbook(_only_hidden),
    "hidden_sheet.xlsx": lambda: workbook(lambda book: _second_sheet(book, "hidden")),
    "two_sheets.xlsx": lambda: workbook(lambda book: _second_sheet(book, "visible")),
    "hidden_rows.xlsx": lambda: workbook(_hide_rows),
    "filtered_rows.xlsx": lambda: workbook(_filter_rows),
    "hidden_columns.xlsx": lambda: workbook(_hide_columns),
    "formulas_without_values.xlsx": lambda: workbook(_set("C3", "=B3+1")),
    "formulas_with_values.xlsx": lambda: _computed(workbook(_set("C3", "=B3+1"))),
    "merged.xlsx": lambda: workbook(lambda book: book.active.merge_cells("B3:B4")),
    "long_numbers.xlsx": lambda: workbook(_set("B2", 1234567890123456789)),
    "table.zip": lambda: zipped(export__csv=table().encode()),
}  # fmt: skip
"""File name -> what is in it."""


def write(name: str, folder: Path) -> Path:
    """Write one file into a folder and return its path."""
    content = FILES[name]()
    path = folder / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for each in FILES:
        print(write(each, target))
