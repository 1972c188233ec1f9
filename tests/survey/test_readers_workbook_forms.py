"""Contract: hidden rows and columns, formulas and errors are told in every form of workbook."""

import shutil
from pathlib import Path

import pytest

from helpers.survey.readers import behind_cells as told
from helpers.survey.readers.check import check_export
from helpers.survey.readers.sheet_facts import SheetFacts
from helpers.survey.readers.workbook import read_workbook

REFERENCE = Path(__file__).parents[1] / "reference"
FORMS = ("ods", "xls", "xlsb")


def said_of(path: Path, sheet: str) -> list[str]:
    _table, _sheets, findings = read_workbook(path, path.name, sheet=sheet)
    return [finding.sentence for finding in findings]


@pytest.mark.parametrize("form", FORMS)
class TestForm:
    def test_hidden_rows_and_columns_are_named(self, form):
        sentences = " ".join(said_of(REFERENCE / f"workbook.{form}", "Data"))
        assert "3 rows of the sheet are hidden (rows 3, 4, 5)" in sentences
        assert "1 columns of the sheet are hidden (columns D)" in sentences

    def test_a_filter_is_named(self, form):
        sentences = " ".join(said_of(REFERENCE / f"workbook.{form}", "Filtered"))
        assert "4 rows of the sheet are hidden, a filter is set (rows 3, 4, 6, 7)" in sentences
        assert "formulas" not in sentences

    def test_errors_are_named_and_read_as_blank(self, form):
        path = REFERENCE / f"workbook.{form}"
        table, _sheets, _findings = read_workbook(path, path.name, sheet="Data")
        assert table[5].tolist()[1:] == [""] * 12
        assert any("2 cells hold errors of a spreadsheet (#DIV/0!, #N/A)" in s
                   for s in said_of(path, "Data"))  # fmt: skip

    def test_stored_values_of_formulas_are_read(self, form):
        path = REFERENCE / f"workbook.{form}"
        table, _sheets, _findings = read_workbook(path, path.name, sheet="Data")
        assert table[4].tolist() == ["total", *(str(i % 5 + 2 * i % 5 + 2) for i in range(1, 13))]
        assert any("cells hold formulas; the values stored" in s for s in said_of(path, "Data"))

    def test_it_is_told_before_a_study_is_made(self, form, tmp_path):
        path = shutil.copy(REFERENCE / f"workbook.{form}", tmp_path)
        sentences = [finding.sentence for finding in check_export(Path(path))[1]]
        assert any("rows of the sheet are hidden" in s for s in sentences)


def test_a_workbook_that_cannot_tell_says_so(monkeypatch):
    monkeypatch.setattr(told, "facts_of_xls", lambda _path, _sheet: None)
    sentences = said_of(REFERENCE / "workbook.xls", "Data")
    assert any("Save it as XLSX and compare" in s for s in sentences)


@pytest.mark.parametrize("form", FORMS)
def test_a_sheet_that_is_not_there_has_no_facts(form):
    assert told._facts(REFERENCE / f"workbook.{form}", "elsewhere") == SheetFacts()
