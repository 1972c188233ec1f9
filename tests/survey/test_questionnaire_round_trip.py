"""Contract and property tests: what the questionnaire asks is what the readers find."""

import csv
import hashlib
import io
import re
import zipfile

import pytest

from helpers import load_study
from helpers.cli import main
from helpers.errors import CodebookError, ReportError
from helpers.i18n import in_language
from helpers.report.questionnaire import write_questionnaire
from helpers.specification import Source
from helpers.study import read_folder, study_folder
from helpers.survey.new import new_study
from helpers.survey.questionnaire import FORMATS, columns_of, make_instrument, render_text
from helpers.survey.readers import read_source
from helpers.survey.simulate.platforms import platform_rows

READERS = {"qualtrics": "qualtrics", "limesurvey": "limesurvey", "wjx": "wenjuanxing"}
N = 60


@pytest.fixture(scope="module")
def shop():
    return load_study("online_shopping")


@pytest.fixture(scope="module")
def answers(shop):
    return shop.intake.answers[shop.cleaned.kept].head(N).reset_index(drop=True)


def written(rows, *, mark=False):
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode("utf-8-sig" if mark else "utf-8")


def read_back(shop, tmp_path, content, form, columns):
    """Read an export by the study's codebook, with the columns that the questionnaire names."""
    (tmp_path / "export.csv").write_bytes(content)
    source = Source(
        reader=READERS[form], file="export.csv", sha256=hashlib.sha256(content).hexdigest()
    )
    items = shop.items[(shop.items["module"] == "main") & shop.items["item"].isin(columns)]
    items = items.assign(column=items["item"].map(columns))
    folder = type(shop.folder)(spec=shop.spec, folder=tmp_path, items=items)
    return read_source(folder, source)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("form", READERS)
def test_a_simulated_export_gives_the_same_codes(form, language, shop, answers, tmp_path):
    with in_language(language):
        instrument = make_instrument(shop.folder)
        columns = columns_of(instrument, form)
        rows = platform_rows(instrument, answers, form=form)
    intake = read_back(shop, tmp_path, written(rows, mark=form == "wjx"), form, columns)
    asked = [c for c in answers if c.partition("_")[0] in columns or c in columns]
    assert len(asked) > 150
    for name in asked:
        texts = name in ("OPEN", "PANEL")
        expected = answers[name].fillna("") if texts else answers[name]
        found = intake.answers[name].fillna("") if texts else intake.answers[name]
        assert found.tolist() == pytest.approx(expected.tolist(), nan_ok=True) or (
            texts and found.tolist() == expected.tolist()
        ), name
    assert not [f for f in intake.findings if f.severity != "note"]


@pytest.mark.parametrize("form", ["qualtrics", "limesurvey", "wjx"])
def test_study_new_reads_what_the_questionnaire_collects(form, shop, answers, tmp_path):
    """From codebook to questionnaire to export to a study folder, without a study file."""
    with in_language("zh"):
        instrument = make_instrument(shop.folder)
        rows = platform_rows(instrument, answers, form=form)
    path = tmp_path / "export.csv"
    path.write_bytes(written(rows))
    (tmp_path / "data").mkdir()
    made = new_study("rehearsal", path, folder=tmp_path / "data")
    assert made.detected.reader == READERS[form]
    assert made.n_rows == N


def test_every_item_is_asked_once_and_in_order(shop):
    instrument = make_instrument(shop.folder)
    asked = [item for question in instrument.questions for item in question.items]
    wanted = shop.items.loc[shop.items["module"] == "main", "item"].tolist()
    assert asked == [i for i in wanted if i not in instrument.passed_on]
    assert instrument.passed_on == ("PANEL",)
    assert [gate.item for gate in instrument.gates] == ["CONSENT", "SCREEN"]


def test_grids_share_one_scale_and_keep_constructs_whole(shop):
    instrument = make_instrument(shop.folder)
    rows = shop.items.set_index("item")
    grids = [q for q in instrument.questions if q.kind == "grid"]
    place = {item: q.name for q in grids for item in q.items}
    for grid in grids:
        assert rows.loc[list(grid.items), "scale"].nunique() == 1
        assert len(grid.rows) <= 10
    for construct in shop.construct_codes:
        assert len({place[i] for i in shop.items_of(construct) if i in place}) <= 1
    # attention checks stay among the statements around them
    assert "ATT1" in place


def test_wordings_and_scales_stand_as_in_the_codebook(shop):
    rows = shop.items.set_index("item")
    for language in ("en", "zh"):
        with in_language(language):
            page = render_text(make_instrument(shop.folder), "html")
        for item in ("SEV3", "ATT2", "OPEN", "INCOME"):
            text = rows.loc[item, f"wording_{language}"].replace('"', "&quot;")
            assert text in page
    assert "非常不同意" in page
    assert "不愿透露" in page  # code 9 of GENDER, a choice and not a blank


def test_pages_load_nothing_and_run_nothing(shop):
    page = render_text(make_instrument(shop.folder), "html")
    assert not re.search(r"<script|https?://|src=|@import|url\(", page)


def test_markup_in_wordings_is_shown_not_run(make_study):
    items = [{"item": "A", "scale": "yesno", "wording_en": "<script>x</script>"}]
    folder = read_folder(_with_screening(make_study, items))
    page = render_text(make_instrument(folder), "html")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def _with_screening(make_study, items):
    import copy

    from tests.survey.conftest import STUDY

    spec = copy.deepcopy(STUDY)
    spec["screening"] = {}
    filled = [
        {"wording_zh": i.get("wording_en", "x"), "wording_en": "x", **i, "construct": "SAT"}
        for i in items
    ]
    return make_study(spec=spec, items=filled)


def test_limesurvey_carries_branches_and_gates(shop):
    text = render_text(make_instrument(shop.folder), "limesurvey")
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    by_name = {r["name"]: r for r in rows if r["class"] == "Q"}
    assert by_name["HOURS"]["relevance"] == (
        '(MEAS.NAOK == "1" or MEAS.NAOK == "2" or MEAS.NAOK == "3")'
    )
    groups = [r for r in rows if r["class"] == "G"]
    assert groups[2]["relevance"] == '(CONSENT.NAOK == "1") and (SCREEN.NAOK == "1")'
    names = list(by_name)
    assert len({n.lower() for n in names}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,19}", n) for n in names)
    codes = [r["name"] for r in rows if r["class"] == "A"]
    assert all(len(code) <= 5 for code in codes)


def test_qualtrics_gives_each_choice_its_code(shop):
    text = render_text(make_instrument(shop.folder), "qualtrics")
    assert text.startswith("[[AdvancedFormat]]\n")
    block = text.split("[[ID:LOY10]]")[1].split("[[Question")[0]
    assert re.findall(r"\[\[Choice:(\d+)\]\]", block) == [str(c) for c in range(11)]
    grid = text.split("[[ID:GRID1]]")[1].split("[[Question")[0]
    assert re.findall(r"\[\[Answer:(\d)\]\]\n(.+)", grid)[6] == ("7", "strongly agree")


def test_wjx_numbers_questions_without_gaps(shop):
    with in_language("zh"):
        text = render_text(make_instrument(shop.folder), "wjx")
    numbers = re.findall(r"^(\d+)\. .*\[(?:单选题|多选题|矩阵量表题|填空题)\]$", text, re.MULTILINE)
    assert [int(n) for n in numbers] == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", ["online_shopping", "maxham_netemeyer_2003"])
def test_every_form_is_written(form, name, tmp_path):
    """A published matrix has a codebook too, and nobody need have answered it."""
    out = tmp_path / f"q.{FORMATS[form]}"
    files, steps = write_questionnaire(
        read_folder(study_folder(name)), form=form, language="zh", out=out
    )
    assert files[0] == out
    assert steps
    if form == "docx":
        with zipfile.ZipFile(out) as archive:
            text = archive.read("word/document.xml").decode("utf-8")
        assert text.count("<w:tbl>") >= 1
        assert "诚邀您参加" in text
    elif form != "html":
        columns = list(csv.DictReader(files[1].open(encoding="utf-8-sig")))
        assert {"item", "column"} == set(columns[0])


def test_wrong_use_is_said(shop, tmp_path, capsys):
    with pytest.raises(ReportError, match="form= 'word' is not known"):
        write_questionnaire(shop.folder, form="word")
    with pytest.raises(CodebookError, match="module= 'servqal' is not part"):
        make_instrument(shop.folder, module="servqal")
    out = tmp_path / "q.html"
    assert main(["questionnaire", "online_shopping", "--out", str(out)]) == 0
    assert "to do" in capsys.readouterr().out
    chinese = ["--language", "zh", "--out", str(out.with_name("zh" + out.name))]
    assert main(["questionnaire", "online_shopping", *chinese]) == 0
    told = capsys.readouterr().out
    assert "待办" in told and "to do" not in told
    assert out.is_file()
    assert (
        main(["questionnaire", "online_shopping", "--format", "html", "--out", str(tmp_path)]) == 0
    )
    assert (tmp_path / "online_shopping_questionnaire_en_html.html").is_file()


def test_scales_of_a_published_matrix_are_no_questions(tmp_path):
    _files, steps = write_questionnaire(
        read_folder(study_folder("maxham_netemeyer_2003")), form="html", out=tmp_path / "q.html"
    )
    assert "put the items of each scale in their place" in steps[0]
