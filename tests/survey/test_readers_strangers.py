"""Contract tests: exports of accounts in other languages, columns named by other programs."""

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from helpers.survey.identifiers import by_name
from helpers.survey.readers.check import check_export
from helpers.survey.readers.detect import detect, read_export

QUALTRICS = (
    "start_date,end_date,status,ip_address,progress,duration_in_seconds,finished,recorded_date,"
    "response_id,recipient_last_name,recipient_first_name,recipient_email,external_reference,"
    "location_latitude,location_longitude,distribution_channel,user_language,sat\n"
)
ANSWER = (
    "2026-03-02 09:14:55,2026-03-02 09:21:07,{status},192.0.2.17,100,372,1,2026-03-02 09:21:08,"
    "R_{i:015d},Muster,Anna,anna@example.org,X7,31.23,121.47,anonymous,EN,{i}\n"
)
LIME_DE = (
    "Antwort ID;Datum Abgeschickt;Letzte Seite;Start-Sprache;Zufallsstartwert;Datum gestartet;"
    "Datum letzte Aktivität;IP-Adresse;Wie zufrieden?\n"
    "1;2026-03-02 09:21:07;3;de;1834756201;2026-03-02 09:14:55;2026-03-02 09:21:07;192.0.2.17;7\n"
    "2;;1;de;1834756202;2026-03-02 10:14:55;2026-03-02 10:21:07;192.0.2.18;\n"
)
LIME_EN = (
    "Response ID;Date submitted;Last page;Start language;Seed;Date started;Date last action;"
    "IP address;Wie zufrieden?\n"
) + LIME_DE.partition("\n")[2]
MONKEY_DE = (
    "Befragten-ID,Collector-ID,Anfangsdatum,Enddatum,IP-Adresse,E-Mail-Adresse,Vorname,Nachname,"
    "Benutzerdefinierte Daten,Wie zufrieden?,\n,,,,,,,,,Fair,Richtig\n"
    "118000000123,460000001,03/02/2026 09:14:55,03/02/2026 09:21:07,192.0.2.17,a@example.org,Anna,"
    "Muster,Kunde 7,5,6\n"
)


def written(tmp_path, text, name="export.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def dotted(text):
    """Return a header as R writes it."""
    return text.replace("_", ".")


@pytest.mark.parametrize("rename", [str, dotted], ids=["snake", "dots"])
def test_qualtrics_under_names_of_other_programs(tmp_path, rename):
    body = "".join(ANSWER.format(i=i, status=int(i == 2)) for i in range(3))
    export = read_export(written(tmp_path, rename(QUALTRICS) + body))
    assert list(export.answers) == ["sat"]
    assert export.meta["duration_s"].tolist() == [372.0] * 3
    assert export.meta["preview"].tolist() == [False, False, True]


def test_qualtrics_in_spss_keeps_what_its_columns_mean(tmp_path):
    table = pd.DataFrame(
        {
            "StartDate": pd.to_datetime(["2026-03-02 09:14:55"] * 2),
            "EndDate": pd.to_datetime(["2026-03-02 09:21:07"] * 2),
            "Status": [0.0, 1.0],
            "Progress": 100.0,
            "Duration__in_seconds_": 372.0,
            "ResponseId": ["R_000000000000001", "R_000000000000002"],
            "sat": [3.0, 4.0],
        }
    )
    path = tmp_path / "export.sav"
    pyreadstat.write_sav(table, path)
    export = read_export(path)
    assert list(export.answers) == ["sat"]
    assert export.meta["duration_s"].tolist() == [372.0] * 2
    assert export.meta["preview"].tolist() == [False, True]


@pytest.mark.parametrize("text", [LIME_DE, LIME_EN], ids=["German", "English"])
def test_limesurvey_in_full_words(tmp_path, text):
    path = written(tmp_path, text)
    export = read_export(path)
    assert detect(path).reader == "limesurvey"
    assert list(export.answers) == ["Wie zufrieden?"]
    assert export.meta["finished"].tolist() == [True, False]


def test_surveymonkey_of_a_german_account(tmp_path):
    path = written(tmp_path, MONKEY_DE)
    export = read_export(path)
    assert not detect(path).guesses[0].sure
    assert list(export.answers) == ["Wie zufrieden? - Fair", "Wie zufrieden? - Richtig"]
    assert export.meta["duration_s"].tolist() == [372.0]


@pytest.mark.parametrize(
    "stamp, date, order",
    [
        ("Zeitstempel", "02.03.2026 09:14:55", "day-first"),
        ("Horodateur", "02/03/2026 09:14:55", "day-first"),
        ("Timestamp", "3/2/2026 9:14:55", "month-first"),
    ],
)
def test_dates_of_google_forms_are_those_of_its_language(tmp_path, stamp, date, order):
    path = written(tmp_path, f"{stamp},Satisfied?\n{date},5\n{date},4\n")
    assert detect(path).dates == order


@pytest.mark.parametrize(
    "name",
    [
        "recipient_last_name", "Location.Latitude", "first_name", "LASTNAME", "respondent name",
        "name_of_resp", "Your full name", "Student number", "home_address", "user_id", "lat",
        "收货地址",
    ],
)  # fmt: skip
def test_names_of_persons_however_they_are_written(name):
    assert by_name(name)


@pytest.mark.parametrize("name", ["brand_name", "shop name", "address_quality", "name_fit", "sat"])
def test_names_of_things_are_kept(name):
    assert not by_name(name)


def test_decimals_are_numbers_and_not_words(tmp_path):
    rows = "".join(f"{i % 4},{i % 4 + 0.5}\n" for i in range(12))
    detected, findings = check_export(written(tmp_path, "x1,x2\n0.25,1\n" + rows))
    assert detected.form == "number"
    assert not [f for f in findings if "numbers and words" in str(f.said)]


def workbook(tmp_path, fill):
    """Return the path of a workbook whose first sheet was filled."""
    book = openpyxl.Workbook()
    fill(book)
    path = tmp_path / "export.xlsx"
    book.save(path)
    return path


def said_of(path):
    """Return all findings on an export as one text."""
    return "\n".join(str(finding.said) for finding in check_export(path)[1])


def test_a_table_that_stands_off_the_corner_is_found(tmp_path):
    def fill(book):
        book.active["A1"] = "Exported by X"
        for row, cells in enumerate([("id", "sat", "loy"), (1, 5, 6), (2, 4, 7)], start=4):
            for column, cell in enumerate(cells, start=3):
                book.active.cell(row, column, cell)

    path = workbook(tmp_path, fill)
    assert read_export(path).answers["loy"].tolist() == ["6", "7"]
    assert "Exported by X" in said_of(path)


def test_errors_in_cells_are_told(tmp_path):
    def fill(book):
        for row in [("id", "sat"), (1, 5), (2, "#DIV/0!"), (3, "#N/A")]:
            book.active.append(row)

    assert "2 cells hold errors of a spreadsheet (#DIV/0!, #N/A)" in said_of(
        workbook(tmp_path, fill)
    )


def test_the_longest_sheet_is_read_and_said(tmp_path):
    def fill(book):
        book.active.title = "Codebook"
        for row in [("variable", "label"), ("sat", "Satisfied")]:
            book.active.append(row)
        sheet = book.create_sheet("Data")
        for row in [("id", "sat"), (1, 5), (2, 4), (3, 3)]:
            sheet.append(row)

    detected = detect(workbook(tmp_path, fill))
    assert detected.sheet == "Data"
    (guess,) = [g for g in detected.guesses if g.what == "sheet"]
    assert not guess.sure and guess.alternatives == ("Codebook",)


@pytest.mark.parametrize("text", ["id sat loy\n1 5 6\n2 4 7\n", "   1   5   6\n   2   4   7\n"])
def test_one_column_is_told(tmp_path, text):
    assert "the table has one column" in said_of(written(tmp_path, text))


def test_columns_without_a_name_are_told_together(tmp_path):
    said = said_of(written(tmp_path, "id,sat,,loy,\n1,5,6,7,8\n2,4,5,6,7\n"))
    assert said.count("without a name") == 1
    assert "(columns 3, 5 of the file)" in said


def test_an_answer_that_looks_like_an_import_id_is_an_answer(tmp_path):
    rows = "".join(f'{i},{i % 5},"{{""ImportId"":""x""}}"\n' for i in range(1, 6))
    path = written(tmp_path, "id,sat,meta\n" + rows)
    assert detect(path).reader == "csv"
    assert len(read_export(path).meta) == 5


def test_a_sas_file_is_called_so(tmp_path):
    path = tmp_path / "export.xpt"
    pyreadstat.write_xport(pd.DataFrame({"sat": [1.0, 2.0]}), path)
    assert "is a SAS transport file" in said_of(path)


@pytest.mark.parametrize("ending", ["xls", "ods", "csv"])
def test_a_workbook_is_read_whatever_its_name_ends_in(tmp_path, ending):
    path = workbook(tmp_path, lambda book: [book.active.append(r) for r in [("id", "sat"), (1, 5)]])
    renamed = path.rename(tmp_path / f"export.{ending}")
    assert read_export(renamed).answers["sat"].tolist() == ["5"]


@pytest.mark.parametrize("word", ["Mean", "合计"])
def test_a_row_of_totals_is_told(tmp_path, word):
    assert f"the last row says '{word}'" in said_of(
        written(tmp_path, f"id,sat,loy\n1,5,6\n2,4,7\n{word},4.5,6.5\n")
    )


def test_an_id_and_one_question_are_two_columns(tmp_path):
    assert "the table has one column" not in said_of(written(tmp_path, "id,sat\n1,5\n2,4\n"))


def test_phone_numbers_are_known_by_their_form(tmp_path):
    rows = "".join(f"{i},{i % 5},(212) 555-{i:04d}\n" for i in range(9))
    export = read_export(written(tmp_path, "id,sat,q9\n" + rows))
    assert list(export.answers) == ["sat"]


@pytest.mark.parametrize("status", ["Spam", "8"])
def test_what_the_platform_holds_for_spam_is_told(tmp_path, status):
    path = written(tmp_path, QUALTRICS + ANSWER.format(i=1, status=status))
    assert "1 rows are spam to the platform" in said_of(path)
    assert len(read_export(path).meta) == 1
