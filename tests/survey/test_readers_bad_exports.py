"""Contract: every broken or odd export is named in a sentence; none ends in a traceback."""

from __future__ import annotations

import importlib.util
import os
import zipfile
from pathlib import Path
from types import ModuleType

import openpyxl
import pytest

from helpers import cli
from helpers.survey.readers.check import check_export
from helpers.survey.readers.detect import Detected
from helpers.survey.readers.opening import kind_of

BAD = Path(__file__).parents[1] / "bad_exports" / "make.py"


def _made() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bad_exports_make", BAD)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = _made()

REFUSED = {
    "empty.csv": "is empty (0 bytes)",
    "blank_lines.csv": "holds no text",
    "pdf.csv": "is a PDF document",
    "picture.csv": "is a picture",
    "login_page.xls": "is an HTML page",
    "answers.json": "is a JSON document",
    "feed.xml": "is an XML document",
    "archive.rar": "is a RAR archive",
    "document.docx": "is an office document without sheets",
    "two_tables.zip": "is an archive that holds a.csv, b.csv",
    "locked.zip": "is an archive protected by a password",
    "bomb_by_size.xlsx": "to 3,000,000,000 bytes or more when unpacked",
    "bomb.csv.gz": "bytes or more when unpacked",
    "password.xlsx": "is a workbook protected by a password",
    "broken.xls": "cannot be read as a workbook",
    "nul_bytes.csv": "holds NUL bytes",
    "cut.xlsx": "cannot be unpacked: it was cut off or damaged",
    "cut.csv.gz": "cannot be unpacked; a whole gzip file is needed",
    "cut.sav": "cannot be read as SPSS or Stata data",
    "cut.dta": "cannot be read as SPSS or Stata data",
    "cut_row.csv": "has 2 cells in record 5 (line 5); the header has 4. The file seems to be",
    "cut_character.csv": "ends within a character (line 4)",
    "mixed_encodings.csv": "mixes encodings: line 1 is UTF-8, line 5 is not",
    "no_header.csv": "has numbers in its first row (1, 5, 6, 30)",
    "same_names.csv": "has columns of the same name: sat1",
    "long_header.csv": "field larger than field limit",
    "stray_comma.csv": "record 5, line 5: 5 cells, the header has 4",
    "missing_cell.csv": "has 3 cells in record 2 (line 2)",
    "open_quote.csv": "has 2 cells in record 5 (line 6)",
    "empty_sheet.xlsx": "has no visible sheet with cells",
    "only_hidden.xlsx": "no visible sheet with cells; hidden sheets: older",
}
"""Files that are not read at all: the reason."""

ERRORS = {
    "header_only.csv": "a header but no respondent",
    "header_doubled.csv": "1 rows repeat the header (first: record 2)",
    "joined.csv": "1 rows repeat the header (first: record 5)",
    "joined_qualtrics.csv": "3 respondent ids stand more than once",
    "unnamed_column.csv": "a column without a name holds 3 cells",
    "monkey_one_row.csv": "a header but no respondent",
    "ids_rounded.csv": "2 respondent ids stand in rounded form (first: 1.18E+11)",
    "ids_twice.csv": "1 respondent ids stand more than once",
    "ids_blank.csv": "3 rows have no respondent id",
    "formulas_without_values.xlsx": "1 cells hold formulas without a stored value",
    "merged.xlsx": "1 groups of cells are merged (first rows: 3)",
}
"""Files that are read, but could not be analysed: an error that says what to do."""

REMARKS = {
    "row_names.csv": "a column without a name numbers the rows; it was not kept",
    "form_same_titles.csv": "1 columns repeat the name of another (Why?)",
    "numbers_and_words.csv": "1 columns that hold numbers and words: sat1",
    "missing_codes.csv": "the code -99 stands in 1 columns (sat1)",
    "blank_column.csv": "1 columns without a single answer: q",
    "spreadsheet_errors.csv": "errors of a spreadsheet such as #REF!: sat1",
    "dates_no_date.csv": "3 cells cannot be read (first: 'soon')",
    "durations_unread.csv": "3 cells cannot be read (first: 'long')",
    "rows_twice.csv": "1 rows repeat all answers of an earlier row",
    "e_mails.csv": "column 'q7' was not kept, because its cells are e-mail addresses",
    "phones.csv": "because its cells are mobile phone numbers",
    "addresses.csv": "because its cells are network addresses",
    "identity_cards.csv": "because its cells are national identity numbers",
    "e_mail_in_text.csv": "column 'why': 1 answers hold an e-mail address",
    "formulas_with_values.xlsx": "1 cells hold formulas; the values stored with them are read",
    "long_numbers.xlsx": "1 cells hold numbers of more than 15 digits",
    "hidden_rows.xlsx": "1 rows of the sheet are hidden (rows 3); they are read like all others",
    "filtered_rows.xlsx": "2 rows of the sheet are hidden, a filter is set (rows 3, 4)",
    "hidden_columns.xlsx": "2 columns of the sheet are hidden (columns B, C)",
}
"""Files that are read whole: what is said about them."""

GUESSES = {
    "labels_over_names.csv": ("reader", "qualtrics", False),
    "labels_and_ids.csv": ("reader", "qualtrics", True),
    "no_label_rows.csv": ("reader", "qualtrics", True),
    "wjx_lacks_time.csv": ("columns.duration_s", "所用时间", False),
    "semicolons.csv": ("delimiter", "semicolons", True),
    "tabs.csv": ("delimiter", "tabs", True),
    "bars.csv": ("delimiter", "bars", True),
    "named_separator.csv": ("delimiter", "semicolons", True),
    "two_separators.csv": ("delimiter", "semicolons", False),
    "decimal_comma.csv": ("decimal", ",", True),
    "decimal_or_list.csv": ("decimal", ".", False),
    "decimal_mixed.csv": ("decimal", ".", False),
    "gb18030.csv": ("encoding", "gb18030", True),
    "utf16.csv": ("encoding", "utf-16", True),
    "utf16_without_mark.csv": ("encoding", "utf-16-be", True),
    "latin.csv": ("encoding", "cp1252", False),
    "dates_in_three_forms.csv": ("dates", "day-first", False),
    "dates_either_way.csv": ("dates", "month-first", False),
    "dates_both_ways.csv": ("dates", "day-first", False),
    "id_column_not_unique.csv": ("columns.respondent_id", "none", False),
    "hidden_sheet.xlsx": ("sheet", "Sheet", False),
    "two_sheets.xlsx": ("sheet", "Sheet", False),
}
"""Files that are read by what was found out about them: what, and whether it is a guess."""

WHOLE = {
    "old_mac_lines.csv": (3, 3),
    "table.zip": (3, 3),
    "semicolons.csv": (3, 3),
    "tabs.csv": (3, 3),
    "bars.csv": (3, 3),
    "named_separator.csv": (3, 3),
    "utf16.csv": (3, 2),
    "utf16_without_mark.csv": (3, 3),
    "gb18030.csv": (3, 2),
    "latin.csv": (3, 1),
    "labels_and_ids.csv": (3, 1),
    "no_label_rows.csv": (3, 1),
    "dates_both_ways.csv": (2, 1),
    "hidden_sheet.xlsx": (3, 3),
    "hidden_rows.xlsx": (3, 3),
    "filtered_rows.xlsx": (3, 3),
    "hidden_columns.xlsx": (3, 3),
}
"""Legal, if unusual, files: rows and columns of answers, none lost."""

WIDE = "wide.csv"


def looked_at(name: str, folder: Path) -> tuple[Detected | None, list[str], list[str]]:
    """Write a file, check it, and return what was detected, its errors and its remarks."""
    detected, findings = check_export(MAKE.write(name, folder))
    errors = [f.sentence for f in findings if f.severity == "error"]
    return detected, errors, [f.sentence for f in findings if f.severity != "error"]


def test_every_file_has_its_expectation():
    expected = {*REFUSED, *ERRORS, *REMARKS, *GUESSES, *WHOLE, WIDE}
    assert expected == set(MAKE.FILES)
    assert len(expected) >= 60


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_with_its_reason(name, tmp_path):
    _detected, errors, remarks = looked_at(name, tmp_path)
    assert len(errors) == 1
    assert not remarks
    assert REFUSED[name] in errors[0]
    assert str(tmp_path) not in errors[0]


@pytest.mark.parametrize("name", ERRORS)
def test_what_cannot_be_analysed_is_an_error(name, tmp_path):
    detected, errors, _remarks = looked_at(name, tmp_path)
    assert detected is not None
    assert any(ERRORS[name] in sentence for sentence in errors)


@pytest.mark.parametrize("name", REMARKS)
def test_what_is_odd_is_said(name, tmp_path):
    _detected, errors, remarks = looked_at(name, tmp_path)
    assert not errors
    assert any(REMARKS[name] in sentence for sentence in remarks)


@pytest.mark.parametrize("name", GUESSES)
def test_what_was_found_out_is_said_with_how_sure(name, tmp_path):
    detected, errors, _remarks = looked_at(name, tmp_path)
    what, found, sure = GUESSES[name]
    guess = next(g for g in detected.guesses if g.what == what)
    assert (guess.found, guess.sure) == (found, sure)
    assert guess.text() in detected.text()
    assert ("guess" in guess.text()) is not sure
    assert not errors


@pytest.mark.parametrize("name", WHOLE)
def test_legal_files_are_read_whole(name, tmp_path):
    _detected, errors, remarks = looked_at(name, tmp_path)
    rows, columns = WHOLE[name]
    assert f"{rows} rows with {columns} columns of answers were read." in remarks
    assert not errors


@pytest.mark.slow
def test_ten_thousand_columns_are_read(tmp_path):
    _detected, errors, remarks = looked_at(WIDE, tmp_path)
    assert "2 rows with 10000 columns of answers were read." in remarks
    assert not errors


def _folder(path: Path) -> None:
    path.mkdir()


def _dangling(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere.csv"))


def _loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
@pytest.mark.parametrize(
    ("make", "sentence"),
    [(_folder, "is a folder"), (_dangling, "is a link that leads nowhere"),
     (_loop, "is a link that leads nowhere"), (os.mkfifo, "is no ordinary file")],
)  # fmt: skip
def test_what_is_no_file_is_named(make, sentence, tmp_path):
    path = tmp_path / "export.csv"
    make(path)
    _detected, findings = check_export(path)
    assert sentence in findings[0].sentence


def test_a_link_to_an_export_is_followed(tmp_path):
    (tmp_path / "link.csv").symlink_to(MAKE.write("tabs.csv", tmp_path))
    assert kind_of(tmp_path / "link.csv", "link.csv") == "text"


@pytest.mark.parametrize(
    ("name", "code"), [("semicolons.csv", 0), ("header_doubled.csv", 1), ("pdf.csv", 1)]
)
def test_the_command_says_it_and_ends_with_its_code(name, code, tmp_path, capsys):
    path = MAKE.write(name, tmp_path)
    assert cli.main(["check", str(path)]) == code
    assert f"{name}: errors {code}" in capsys.readouterr().out


def test_a_path_that_does_not_exist_is_wrong_use(tmp_path, capsys):
    assert cli.main(["check", str(tmp_path / "absent.csv")]) == 2
    assert "absent.csv does not exist" in capsys.readouterr().err


def test_a_sheet_is_known_by_its_name_not_by_its_number(tmp_path):
    """Contract: in a workbook whose sheets were moved, formulas and hidden rows are the sheet's."""
    book = openpyxl.Workbook()
    for row in [["id", "sat1"], [1, 5], [2, 6], [3, 7]]:
        book.active.append(row)
    book.active.row_dimensions[2].hidden = True
    book.create_sheet("front", 0)
    book.save(tmp_path / "moved.xlsx")
    moved = tmp_path / "moved.xlsx"
    with zipfile.ZipFile(moved) as old, zipfile.ZipFile(tmp_path / "renamed.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name.replace("sheet2", "data"), old.read(name).replace(b"sheet2", b"data"))
    for path in (moved, tmp_path / "renamed.xlsx"):
        sentences = [f.sentence for f in check_export(path)[1]]
        assert any("1 rows of the sheet are hidden (rows 2)" in s for s in sentences)
        assert not any("columns of the sheet" in s for s in sentences)
