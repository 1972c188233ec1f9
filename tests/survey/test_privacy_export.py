"""Reference, property and contract tests: the shareable copy, its files, and coarsening."""

import csv
import json
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers import load_study
from helpers.cli import main
from helpers.errors import DataContractError, ReportError
from helpers.specification import Scale
from helpers.survey.load import open_folder
from helpers.survey.privacy import k_anonymity
from helpers.survey.readers.detect import read_export
from helpers.survey.share import shared_copy
from helpers.survey.share.behind import telling_rows
from helpers.survey.share.coarsen import coarsen
from helpers.survey.share.files import export_study, safe_cell

from .conftest import ITEMS

HAVEN = json.loads(
    (Path(__file__).parents[1] / "reference" / "shared_copy.json").read_text(encoding="utf-8")
)
EXACT = 1e-9
"""Means of the same numbers by two programs; only the order of sums differs."""

YEARS = Scale(kind="number", low=0, high=120)
TWO = Scale(kind="category", labels={c: {"en": str(c), "zh": str(c)} for c in (1, 2, 3, 4)})


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The simulated study, with its salt in a folder of the tests."""
    study = load_study("online_shopping")
    folder = tmp_path_factory.mktemp("shop")
    for path in ("study.yml", "items.csv", "population.yml"):
        (folder / path).write_bytes((study.folder.folder / path).read_bytes())
    (folder / "raw").symlink_to(study.folder.folder / "raw")
    return open_folder(folder)


@pytest.fixture(scope="module")
def copy(shop):
    return shared_copy(shop)


@pytest.mark.slow
def test_everybody_hides_among_k(copy):
    hidden = list(copy.coarsened.table)
    assert hidden == ["AGE", "GENDER", "EDU", "INCOME", "PLATF"]
    found = k_anonymity(copy.table, hidden, k=5)
    assert found.reached
    assert found.smallest >= 5
    assert not copy.coarsened.before.reached


def test_nothing_that_names_a_person_is_left(shop, copy):
    ids = set(shop.intake.meta["respondent_id"])
    texts = copy.table.select_dtypes(exclude="number")
    assert list(texts) == ["case", "day"]
    assert not ids & set(texts["case"])
    assert texts["day"].str.fullmatch(r"\d{4}-\d\d-\d\d").all()
    assert {item for item, _why in copy.left_out} == {"PANEL", "OPEN"}
    assert texts["case"].is_monotonic_increasing
    salt = shop.folder.folder / "derived" / "salt.key"
    assert stat.S_IMODE(salt.stat().st_mode) == 0o600


def test_answers_are_those_of_the_analysed_sample(shop, copy):
    kept = shop.intake.answers[shop.cleaned.kept]
    reasons = shop.intake.reasons
    assert len(copy.table) == len(kept)
    for item in ("REC4", "HOURS", "RECV_3", "LOY10"):
        ours = copy.table[item].replace(-99.0, np.nan).value_counts(dropna=False)
        assert ours.sort_index().tolist() == (
            kept[item].value_counts(dropna=False).sort_index().tolist()
        )
    seen = reasons[reasons["row"].map(shop.cleaned.kept) & (reasons["item"] == "REC4")]
    declared = (seen["reason"] == "seen but left blank").sum()
    assert declared > 0
    assert (copy.table["REC4"] == -99).sum() == declared


def test_haven_reads_what_was_written(copy):
    """Reference: R haven on the .sav file, against the copy it was written from."""
    variables = {v.name: v for v in copy.variables}
    assert HAVEN["rows"] == len(copy.table), "run tests/reference/shared_copy.R again"
    for name, found in HAVEN["variables"].items():
        variable, values = variables[name], copy.table[name]
        blank = values.isna() | values.isin(list(variable.missing))
        assert found["n_missing"] == blank.sum(), name
        assert found["mean"] == pytest.approx(values[~blank].mean(), abs=EXACT), name
        assert sorted(found["missing_codes"]) == sorted(variable.missing), name
        labels = {**variable.labels, **variable.missing}
        read = dict(found["value_labels"]) if found["value_labels"] else {}
        assert {int(float(c)): t for c, t in read.items()} == labels, name
        assert found["label"] == variable.label or found["label"].endswith("…"), name


@pytest.mark.parametrize("form", ["sav", "csv"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_our_own_readers_read_it_back(form, language, shop, tmp_path):
    files, copy = export_study(shop, form=form, out=tmp_path, language=language)
    export = read_export(files[0])
    numbers = [c for c in copy.table if c not in ("case", "day")]
    for name in numbers:
        cells = pd.to_numeric(export.answers[name].astype("str").replace("", np.nan))
        assert np.array_equal(cells.to_numpy(float), copy.table[name].to_numpy(float), True), name
    if form == "sav":
        variables = {v.name: v for v in copy.variables}
        assert export.questions["REC1"] == variables["REC1"].label
        assert export.missing_codes["REC1"] == {-99: "seen but left blank"}
        labels = dict(export.value_labels["REC1"])
        assert labels == {**variables["REC1"].labels, -99: "seen but left blank"}


def test_the_codebook_says_everything(shop, tmp_path):
    files, copy = export_study(shop, form="csv", out=tmp_path, language="zh")
    with files[1].open(encoding="utf-8-sig", newline="") as handle:
        rows = {row["variable"]: row for row in csv.DictReader(handle)}
    assert list(rows) == list(copy.table)
    assert rows["REC4"]["reverse"] == "1"
    assert rows["REC4"]["construct"] == "REC"
    assert rows["REC4"]["label"] == shop.items.set_index("item").loc["REC4", "wording_zh"]
    assert "7=非常同意" in rows["REC4"]["codes"]
    text = files[2].read_text(encoding="utf-8")
    for item, what in copy.coarsened.done.items():
        assert f"- {item}：{what}" in text
    assert "模拟" in text


@pytest.mark.parametrize(
    ("cell", "safe"),
    [("=1+1", "'=1+1"), ("+cmd", "'+cmd"), ("-2+3", "'-2+3"), ("@SUM(A1)", "'@SUM(A1)"),
     ("\t=1", "'\t=1"), ("\rx", "'\rx"), ("-99", "-99"), ("+3.5", "+3.5"), ("a=b", "a=b"),
     (-99, -99), ("", "")],
)  # fmt: skip
def test_cells_are_no_formulas(cell, safe):
    assert safe_cell(cell) == safe


def test_labels_cannot_inject_formulas(make_study, toy_spec):
    toy_spec["scales"]["yesno"]["labels"][2] = {"en": "=HYPERLINK(1)", "zh": "=HYPERLINK(1)"}
    study = open_folder(make_study(spec=toy_spec))
    files, _copy = export_study(study, form="csv", out=study.folder.folder / "out")
    for path in files[:2]:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            cells = [cell for row in csv.reader(handle) for cell in row]
        assert not [c for c in cells if c.startswith(("=", "@", "+"))]


def test_exact_values_stay_where_all_are_alike():
    data = pd.DataFrame({"age": [30.0] * 5 + [40.0] * 5})
    done = coarsen(data, {"age": YEARS}, {}, k=5)
    assert done.table.equals(data)
    assert done.done == {}
    assert done.n_blanked == 0


def test_numbers_become_bands_by_hand():
    """Ten ages, one of each from 20 to 29: bands of five hold five."""
    data = pd.DataFrame({"age": np.arange(20.0, 30.0)})
    done = coarsen(data, {"age": YEARS}, {}, k=5)
    assert done.table["age"].tolist() == [20.0] * 5 + [25.0] * 5
    assert done.labels["age"] == {20: "20–24", 25: "25–29"}
    assert done.after.smallest == 5


def test_rare_categories_are_joined():
    data = pd.DataFrame({"job": [1.0] * 30 + [2.0] * 30 + [3.0] * 3 + [4.0] * 4})
    done = coarsen(data, {"job": TWO}, {"job": {1: "a", 2: "b", 3: "c", 4: "d"}}, k=5)
    assert done.table["job"].value_counts().to_dict() == {1.0: 30, 2.0: 30, 5.0: 7}
    assert done.labels["job"][5] == "other"
    assert "c, d" in done.done["job"]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("n", [40, 400])
def test_k_is_reached_whatever_the_data(seed, n):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n).astype(float),
            "job": rng.choice([1.0, 2.0, 3.0, 4.0, np.nan], n, p=[0.5, 0.3, 0.1, 0.05, 0.05]),
            "sex": rng.choice([1.0, 2.0], n),
        }
    )
    scales = {"age": YEARS, "job": TWO, "sex": TWO}
    done = coarsen(data, scales, {}, k=5)
    assert done.after.reached
    assert done.after.smallest >= 5
    assert len(done.table) == n


def test_a_branch_does_not_tell_what_is_hidden(shop):
    """By hand: HOURS is asked of those with MEAS 1, 2 or 3 only."""
    meas = pd.Series([1.0, 1.0, 2.0, 2.0, 3.0, 4.0, 4.0, np.nan])
    answers = pd.DataFrame({"MEAS": meas, "HOURS": [5.0, 6, 7, np.nan, 8, np.nan, np.nan, 9]})

    def hidden(shown):
        found = telling_rows(shop.folder, answers, pd.DataFrame({"MEAS": shown}))
        return {item: (on, rows.tolist()) for item, (on, rows) in found.items()}

    assert hidden(meas) == {}
    joined = meas.replace({3.0: 5.0, 4.0: 5.0})  # asked and not asked under one code
    assert hidden(joined) == {"HOURS": ("MEAS", [False] * 4 + [True] * 3 + [False])}
    blanked = meas.where(meas != 2)  # the person without an answer is blank beside the blanked
    assert hidden(blanked)["HOURS"][1] == [False, False, True, True, False, False, False, True]
    assert hidden(meas * np.nan)["HOURS"][1] == [True] * 8


def test_what_stands_behind_a_removed_answer_is_left_out(make_study, toy_spec):
    """Nobody shares an answer: the question goes, and with it what only some were asked."""
    toy_spec["privacy"] = {"quasi_identifiers": ["SAT1"], "k": 2}
    behind = [item | ({"shown_if": "SAT1=5|7"} if item["item"] == "SAT2" else {}) for item in ITEMS]
    made = shared_copy(open_folder(make_study(spec=toy_spec, items=behind)))
    assert made.table["SAT1"].isna().all() and "SAT2" not in made.table
    assert "would tell SAT1" in dict(made.left_out)["SAT2"]
    assert made.table["SAT3"].notna().all()


def test_too_few_people_are_said_not_hidden():
    data = pd.DataFrame({"age": [20.0, 30.0, 40.0]})
    done = coarsen(data, {"age": YEARS}, {}, k=5)
    assert not done.after.reached


def test_a_matrix_has_nothing_to_share(tmp_path, capsys):
    with pytest.raises(DataContractError, match="published matrix without respondents"):
        shared_copy(load_study("maxham_netemeyer_2003"))
    out = str(tmp_path)
    assert main(["export", "maxham_netemeyer_2003", "--csv", "--out", out]) == 2
    assert "published matrix" in capsys.readouterr().err


def test_wrong_use_is_said(shop, tmp_path):
    with pytest.raises(ReportError, match="form= 'xls' is not known"):
        export_study(shop, form="xls", out=tmp_path)
    with pytest.raises(DataContractError, match="k= is 1; at least 2"):
        shared_copy(shop, k=1)
