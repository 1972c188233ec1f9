"""Contract, recovery and real-file tests: a study folder made from an export, guesses marked."""

import gzip
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from helpers import load_study, paths
from helpers.cli import main
from helpers.errors import DataContractError, ReportError
from helpers.survey.codebook import check_study
from helpers.survey.load import open_folder
from helpers.survey.new import new_study
from helpers.survey.new.guess import REVIEW
from helpers.survey.new.words import ordered_labels

REAL = Path(__file__).parents[3] / "shared" / "realdata"
REPORTS = REAL / "survey_exports"

KINDS_RIGHT = 0.98
"""Share of the simulated questionnaire's items whose kind is guessed right. In a file of codes
nothing tells five failure types from a scale, or a count that stays below eight from an answer."""

TOY = """id,sat_1,sat_2,sat_3,att_1,gender,comment
1,5,6,2,6,1,fine
2,7,7,1,6,2,=cmd()
3,3,4,5,6,1,
4,2,2,7,4,2,slow
5,6,5,2,6,1,good
6,1,2,6,6,2,late
"""


@pytest.fixture
def toy(tmp_path):
    path = tmp_path / "toy export.csv"
    path.write_text(TOY, encoding="utf-8")
    return path


@pytest.fixture
def studies(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def real(*parts):
    path = REAL.joinpath(*parts)
    if not path.is_file():
        pytest.skip("the real export is not on this machine")
    return path


def test_a_folder_opens_at_once(toy, studies):
    made = new_study("toy", toy, folder=studies, title="A toy")
    assert sorted(p.name for p in made.folder.iterdir()) == [
        "README.md",
        "items.csv",
        "raw",
        "study.yml",
    ]
    assert (made.folder / "raw" / "toy_export.csv").read_bytes() == toy.read_bytes()
    study = open_folder(made.folder)
    assert study.responses["sat_1"].tolist() == [5, 7, 3, 2, 6, 1]
    assert study.items_of("SAT") == ["sat_1", "sat_2", "sat_3"]
    assert study.responses["respondent_id"].tolist() == ["1", "2", "3", "4", "5", "6"]
    assert study.title == "A toy"


def test_an_item_against_the_others_is_named_and_not_turned(toy, studies):
    made = new_study("toy", toy, folder=studies)
    guess = next(g for g in made.guesses if g.place == "sat_3" and "reverse" in g.found)
    table = pd.read_csv(toy)
    others = table[["sat_1", "sat_2"]]
    r = table["sat_3"].corr(((others - others.mean()) / others.std()).mean(axis=1))
    assert f"correlates {r:.2f}" in guess.because
    assert not [g for g in made.guesses if g.place in ("sat_1", "sat_2") and "reverse" in g.found]
    assert not open_folder(made.folder).items["reverse"].any()


def test_every_guess_is_marked_where_it_stands(toy, studies):
    made = new_study("toy", toy, folder=studies)
    text = (made.folder / "study.yml").read_text(encoding="utf-8")
    items = pd.read_csv(made.folder / "items.csv", keep_default_na=False)
    listed = [f for f in check_study(made.folder) if "to be confirmed" in f.sentence]
    assert len(listed) == text.count(f"# {REVIEW} ") + (items["review"] != "").sum()
    for guess in made.guesses:
        if guess.place in set(items["item"]):
            row = items[items["item"] == guess.place].iloc[0]
            assert guess.because in row["review"]
    assert not [f for f in check_study(made.folder) if f.severity == "error"]


def test_reviews_vanish_when_their_marks_are_deleted(toy, studies):
    folder = new_study("toy", toy, folder=studies).folder
    path = folder / "study.yml"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(x.split(f"  # {REVIEW}")[0] for x in lines) + "\n", encoding="utf-8")
    table = pd.read_csv(folder / "items.csv", dtype=str, keep_default_na=False)
    table.assign(review="").to_csv(folder / "items.csv", index=False)
    assert not [f for f in check_study(folder) if "to be confirmed" in f.sentence]


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "1st", "a b", ".hidden", "x" * 65])
def test_bad_names_are_refused(name, toy, studies):
    with pytest.raises(ReportError, match="cannot name a study"):
        new_study(name, toy, folder=studies)
    assert list(studies.iterdir()) == []


def test_an_existing_folder_is_never_touched(toy, studies):
    (studies / "Toy").mkdir()
    with pytest.raises(ReportError, match="is taken by"):
        new_study("toy", toy, folder=studies)
    assert list((studies / "Toy").iterdir()) == []


def test_an_unknown_reader_is_refused(toy, studies):
    with pytest.raises(ReportError, match="reader= 'qualtrix' is not known.*'qualtrics'"):
        new_study("toy", toy, folder=studies, reader="qualtrix")


@pytest.mark.parametrize(
    "content",
    [b"", b"a,b\n", b"\x00\x01\x02", b"a,b\n1,2\n3\n"],
    ids=["empty", "rowless", "nul", "cut"],
)
def test_nothing_is_left_of_what_failed(content, tmp_path, studies):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(DataContractError):
        new_study("bad", path, folder=studies)
    assert list(studies.iterdir()) == []


@pytest.mark.parametrize(
    ("labels", "scale"),
    [
        (["agree", "strongly disagree", "disagree", "strongly agree", "neutral"],
         ["strongly disagree", "disagree", "neutral", "agree", "strongly agree"]),
        (["同意", "非常不同意", "一般", "非常同意", "有点同意", "不同意"],
         ["非常不同意", "不同意", None, "一般", "有点同意", "同意", "非常同意"]),
        (["满意", "非常满意", "很不满意", "一般"],
         ["很不满意", None, "一般", "满意", "非常满意"]),
        (["always", "never", "often"], ["never", None, None, "often", "always"]),
        (["Somewhat likely", "Very unlikely"],
         ["Very unlikely", None, "Somewhat likely", None]),
        (["red", "green"], None),
        (["agree", "pizza"], None),
    ],
)  # fmt: skip
def test_scale_words_are_put_in_order(labels, scale):
    assert ordered_labels(labels) == scale


def test_the_simulated_export_is_understood(studies):
    """Recovery: what is proposed from the file alone, against the study file it came from."""
    true = load_study("online_shopping")
    source = paths.data_folder() / "online_shopping" / "raw" / "main.csv.gz"
    made = new_study("again", source, folder=studies)
    study = open_folder(made.folder)
    items = true.items[true.items["module"] == "main"]
    kinds = {i: true.scale_of(i).kind for i in items["item"]}
    got = {i: study.scale_of(i).kind for i in items["item"]}
    assert set(got) == set(kinds)
    right = [kinds[i] == got[i] for i in kinds]
    assert sum(right) / len(right) >= KINDS_RIGHT
    likert = [i for i in kinds if kinds[i] == got[i] == "likert"]
    for item in likert:
        wanted, found = true.scale_of(item), study.scale_of(item)
        assert (wanted.low, wanted.high) == (found.low, found.high), item
    for construct in true.spec.constructs:
        wanted = [i for i in true.items_of(construct.code) if i in kinds]
        if len(wanted) > 1:
            assert study.items_of(construct.code) == wanted
    screening = study.spec.screening
    assert screening.consent == true.spec.screening.consent
    assert screening.screener == true.spec.screening.screener
    assert screening.attention == true.spec.screening.attention
    rules = dict(zip(study.items["item"], study.items["shown_if"], strict=True))
    wanted = items.loc[items["shown_if"] != "", ["item", "shown_if"]]
    assert {i: rules[i] for i in wanted["item"]} == dict(wanted.to_numpy())
    turned = {g.place for g in made.guesses if "reverse 1" in g.alternatives}
    assert turned == set(items.loc[items["reverse"], "item"])
    codes = dict(zip(study.items["item"], study.items["missing_codes"], strict=True))
    declared = dict(zip(items["item"], items["missing_codes"], strict=True))
    assert all(set(codes[i]) <= set(declared[i]) for i in codes)


def test_the_wenjuanxing_export_is_understood(studies):
    """Recovery: grids whose labels are Chinese words."""
    true = load_study("online_shopping")
    source = paths.data_folder() / "online_shopping" / "raw" / "servqual.csv.gz"
    study = open_folder(new_study("again", source, folder=studies).folder)
    scale = study.scale_of("Q2_1")
    agree = true.spec.scales["agree7"]
    assert (scale.low, scale.high) == (agree.low, agree.high)
    assert {c: t.zh for c, t in scale.labels.items()} == {c: t.zh for c, t in agree.labels.items()}
    module = true.module("servqual")
    ours = study.raw[[c for c in study.raw if c.startswith("Q2_")]]
    theirs = module[[c for c in module if c.endswith(tuple(f"E{k}" for k in (1, 2, 3)))]]
    assert (ours.to_numpy() == theirs.to_numpy()).all()


@pytest.mark.parametrize(
    ("parts", "constructs"),
    [
        (("corp_reputation", "corp_rep_data.csv"),
         ["CSOR", "ATTR", "PERF", "QUAL", "LIKE", "COMP", "CUSL", "SWITCH"]),
        (("bank_satisfaction", "bank_satisfaction.csv"),
         ["IMAG", "EXPE", "QUAL", "VAL", "SAT", "LOY"]),
        (("ecsi_mobi", "mobi.csv"), ["CUEX", "CUSA", "CUSL", "IMAG", "PERQ", "PERV"]),
        (("influencer", "influencer_data.csv"), ["PIC", "SIC", "PQ", "PL", "PI"]),
        (("bfi", "bfi.csv"), ["A", "C", "E", "N", "O"]),
    ],
)  # fmt: skip
def test_real_files_give_their_constructs(parts, constructs, studies):
    study = open_folder(new_study("real", real(*parts), folder=studies).folder)
    assert study.construct_codes == constructs


def test_minus_99_becomes_missing(studies):
    folder = new_study("corp", real("corp_reputation", "corp_rep_data.csv"), folder=studies).folder
    study = open_folder(folder)
    raw = pd.read_csv(real("corp_reputation", "corp_rep_data.csv"))
    for item in ("cusl_1", "cusa", "occupation"):
        assert study.responses[item].isna().sum() == (raw[item] == -99).sum()
    assert not (study.responses.select_dtypes("number") == -99).any().any()


def test_codes_98_are_missing_but_ages_stay(studies):
    path = real("acsi_2015", "acsi2015_three_industries.csv")
    study = open_folder(new_study("acsi", path, folder=studies).folder)
    raw = pd.read_csv(path)
    assert study.responses["AGE"].eq(raw["AGE"]).sum() == raw["AGE"].notna().sum()
    known = raw["REPUR"].where(raw["REPUR"] < 11)
    assert study.responses["REPUR"].equals(known.astype(float))
    rule = study.items.set_index("item").loc["HANDLE", "shown_if"]
    assert rule == "COMP=1"


def test_an_item_already_turned_is_not_called_reverse(studies):
    path = real("influencer", "influencer_data.csv")
    made = new_study("infl", path, folder=studies)
    assert not [g for g in made.guesses if g.place == "pl_1" and "reverse" in g.found]


@pytest.mark.parametrize("form", ["wjx_phone_800_text.csv", "wjx_phone_800_number.csv"])
def test_wenjuanxing_forms_give_the_same_questions(form, studies):
    study = open_folder(new_study("phones", real("survey_exports", form), folder=studies).folder)
    kinds = {i: study.scale_of(i).kind for i in study.items["item"]}
    assert kinds["Q6"] == kinds["Q8"] == "multiple"
    assert len(study.scale_of("Q6").labels) == 14
    assert kinds["Q3"] == "category"
    assert len(study.responses) == 800


def test_an_export_without_questions_is_refused(studies):
    path = real("survey_exports", "qualtrics_three_header_rows.csv")
    with pytest.raises(DataContractError, match="holds no question"):
        new_study("empty", path, folder=studies)


def test_the_command_lists_guesses_and_gives_no_traceback(toy, studies, monkeypatch, capsys):
    monkeypatch.setattr(paths, "data_folder", lambda: studies)
    assert main(["new", "toy", "--from", str(toy)]) == 0
    said = capsys.readouterr().out
    assert "unsure  att_1, gender: category" in said
    assert "each marked REVIEW" in said
    assert main(["new", "toy", "--from", str(toy)]) == 2
    assert "is taken by" in capsys.readouterr().err


MONKEY = """Respondent ID,Collector ID,Start Date,End Date,IP Address,Email Address,What broke?,,,How far do you agree?,,How old are you?
,,,,,,Late delivery,Damaged item,Other (please specify),The refund was fair.,The shop was polite.,Response
118000000123,46,03/02/2026 09:14:55,03/02/2026 09:21:07,192.0.2.17,a@example.org,Late delivery,Damaged item,,Agree,Strongly agree,31
118000000124,46,03/02/2026 09:30:01,03/02/2026 09:30:44,192.0.2.18,b@example.org,,,wrong colour,Disagree,Neutral,45
118000000125,46,03/02/2026 09:31:01,03/02/2026 09:39:44,192.0.2.19,c@example.org,Late delivery,,,Strongly agree,Agree,28
118000000126,46,03/13/2026 09:31:01,03/13/2026 09:39:44,192.0.2.20,d@example.org,,Damaged item,,Agree,Agree,61
"""  # noqa: E501

LIME = """"id";"submitdate";"lastpage";"startlanguage";"startdate";"FAIL[SQ001]";"FAIL[SQ002]";"DJ[SQ001]";"DJ[SQ002]"
"1";"2026-03-02 09:21:07";"3";"en";"2026-03-02 09:14:55";"Y";"";"A5";"A6"
"2";"2026-03-02 09:22:07";"3";"en";"2026-03-02 09:15:55";"";"Y";"A3";"A2"
"3";"2026-03-02 09:23:07";"3";"en";"2026-03-02 09:16:55";"Y";"Y";"A7";"A1"
"""  # noqa: E501


def made_of(text, tmp_path, studies):
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8")
    return open_folder(new_study("made", path, folder=studies).folder)


def test_one_word_has_one_code_in_all_columns(tmp_path, studies):
    """Nobody chose all words in either column; together they are one scale of five."""
    study = made_of(MONKEY, tmp_path, studies)
    fair, polite = study.construct_codes[0], "The shop was polite."
    items = study.items_of(fair)
    assert study.wording(items[1]) == polite
    assert {study.scale_of(i).high for i in items} == {5.0}
    assert study.responses[items[0]].tolist() == [4, 2, 5, 4]
    assert study.responses[items[1]].tolist() == [5, 3, 4, 4]


def test_choices_in_columns_of_their_own_are_one_question(tmp_path, studies):
    study = made_of(MONKEY, tmp_path, studies)
    broken = next(i for i in study.items["item"] if study.scale_of(i).kind == "multiple")
    assert [t.en for t in study.scale_of(broken).labels.values()] == [
        "Late delivery",
        "Damaged item",
    ]
    assert study.responses[f"{broken}_1"].tolist()[::2] == [1, 1]
    assert study.responses[f"{broken}_2"].tolist()[::2] == [1, 0]
    assert "example.org" not in (study.folder.folder / "items.csv").read_text(encoding="utf-8")


def test_limesurvey_arrays_and_choices_are_understood(tmp_path, studies):
    study = made_of(LIME, tmp_path, studies)
    assert study.items_of("DJ") == ["DJ_1", "DJ_2"]
    assert study.responses["DJ_1"].tolist() == [5, 3, 7]
    assert study.scale_of("DJ_2").high == 7
    assert study.responses["FAIL_1"].tolist() == [1, 0, 1]


def test_labels_of_an_spss_file_are_kept(studies):
    path = Path(__file__).parents[1] / "reference" / "haven.sav"
    study = open_folder(new_study("labelled", path, folder=studies).folder)
    assert study.wording("sat1") == "The refund was fair."
    assert study.scale_of("sat1").labels[7].en == "strongly agree"
    assert study.items.set_index("item").loc["sat1", "missing_codes"] == {99: "not applicable"}
    assert study.responses["sat1"].isna().tolist() == [False, False, False, True, True, False]
    assert study.responses["respondent_id"].tolist() == ["1", "2", "3", "4", "5", "6"]


def test_packed_files_stay_packed(toy, studies, tmp_path):
    packed = tmp_path / "toy.csv.gz"
    packed.write_bytes(gzip.compress(toy.read_bytes(), mtime=0))
    study = open_folder(new_study("toy", packed, folder=studies).folder)
    assert len(study.responses) == 6


@pytest.mark.slow
@pytest.mark.parametrize("file", ["main.csv.gz", "servqual.csv.gz"])
def test_a_new_study_runs_green(file, tmp_path, monkeypatch):
    root, source = paths.project_root(), paths.data_folder() / "online_shopping" / "raw" / file
    project = tmp_path / "project"
    (project / "data").mkdir(parents=True)
    (project / "notebooks").symlink_to(root / "notebooks")
    (project / "pyproject.toml").symlink_to(root / "pyproject.toml")
    monkeypatch.setenv("STUDY_ROOT", str(project))
    assert main(["new", "fresh", "--from", str(source)]) == 0
    assert main(["check", "fresh"]) == 0
    out = str(tmp_path / "out")
    assert main(["run", "fresh", "--only", "00,10,20,30", "--out", out]) == 0


def test_titles_above_the_names_of_a_workbook_are_said_and_not_read(studies, tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"] = "Survey of buyers"
    sheet.merge_cells("A1:D1")
    sheet["B2"], sheet["D2"] = "Justice", "Person"
    sheet.merge_cells("B2:C2")
    for row in (["No", "J1", "J2", "Age"], *([i, 1 + i % 7, 1 + i % 5, 20 + i] for i in range(30))):
        sheet.append(row)
    book.save(tmp_path / "titles.xlsx")
    made = new_study("titles", tmp_path / "titles.xlsx", folder=studies)
    study = open_folder(made.folder)
    assert study.responses["J1"].tolist() == [1 + i % 7 for i in range(30)]
    said = [f.sentence for f in check_study(made.folder)]
    assert any("2 rows above the names hold titles (Survey of buyers, Justice, Person)" in s
               for s in said)  # fmt: skip


def test_names_with_one_blank_cell_are_no_title(studies, tmp_path):
    book = openpyxl.Workbook()
    for row in (["", "Why", "What", "Where"], *([i, "late", "parcel", "home"] for i in "xyz")):
        book.active.append(row)
    book.save(tmp_path / "unnamed.xlsx")
    with pytest.raises(DataContractError, match="a column without a name holds 3 cells"):
        new_study("unnamed", tmp_path / "unnamed.xlsx", folder=studies)


def test_items_on_one_span_belong_together_though_one_alone_is_labelled(studies, tmp_path):
    rng = np.random.default_rng(3)
    f = rng.normal(size=80)
    cut = {f"dj{j}": np.clip(np.round(4 + f + rng.normal(size=80)), 1, 7) for j in (1, 2, 3)}
    labels = {"dj1": {1.0: "Strongly disagree", 7.0: "Strongly agree"}}
    path = tmp_path / "partly.sav"
    pyreadstat.write_sav(pd.DataFrame(cut), path, variable_value_labels=labels)
    made = new_study("partly", path, folder=studies)
    assert open_folder(made.folder).items_of("DJ") == ["dj1", "dj2", "dj3"]


def test_a_study_without_answer_scales_says_so(studies, tmp_path):
    path = tmp_path / "tests.csv"
    rng = np.random.default_rng(4)
    scores = pd.DataFrame(rng.normal(5, 1, (40, 3)).round(3), columns=["x1", "x2", "x3"])
    scores.insert(0, "age", rng.integers(11, 60, 40))
    scores.to_csv(path, index=False)
    made = new_study("tests", path, folder=studies)
    study = open_folder(made.folder)
    assert "answer scale" in study.offers("items").why
    assert any(g.found == "construct of x1" for g in made.guesses)  # not what people are


def test_ids_that_the_file_names_are_kept(tmp_path, studies):
    path = tmp_path / "export.csv"
    rows = "".join(f"{i},{100 - i},{i % 7 + 1}\n" for i in range(1, 31))
    path.write_text("id,respondent_id,sat\n" + rows, encoding="utf-8")
    made = new_study("named", path, folder=studies)
    assert made.detected.columns["respondent_id"] == "respondent_id"
