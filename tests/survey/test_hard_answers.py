"""Answers that bend the methods: an item that never varies, a copied item, a Heywood case."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError, Unavailable
from helpers.i18n import in_language
from helpers.measurement.reliability import coefficient_alpha
from helpers.measurement.study_factors import study_htmt
from helpers.measurement.study_scales import (
    estimate_study_reliability,
    scale_blocks,
    study_correlations,
)
from helpers.sem.missing_methods import compare_missing_methods
from helpers.sem.study_fit import fit_model
from helpers.sem.study_reliability import study_more_reliability
from helpers.survey.careless_indices import careless_indices
from helpers.survey.distance import distance_basis
from helpers.survey.imputation import impute
from helpers.survey.load import open_folder
from helpers.survey.mark_agreement import SIGNS
from helpers.survey.missing import little_test
from helpers.survey.normality import mardia_test
from helpers.tables.measuring import chosen_scale, htmt_table
from helpers.tables.sem_sentences import problems_text, validity_sentence
from helpers.tables.sem_tables import validity_table
from helpers.tables.survey_careless import agreement_sentence, marks_sentence

SCALES = {"SAT": 3, "FLAT": 3, "COPY": 3, "ONE": 1}
CONTINUED = """
SAT =~ SAT1 + SAT2 +   # the scale goes on below
  SAT3
COPY =~ COPY1 + 0.5*COPY2 ! not + SAT1
"""


def answers() -> pd.DataFrame:
    """120 people; FLAT2 never varies, COPY3 repeats COPY1 in every answer."""
    rng = np.random.default_rng(11)
    common = rng.normal(size=(120, 1))
    names = [f"{scale}{k}" for scale, n in SCALES.items() for k in range(1, n + 1)]
    drawn = 4 + 1.2 * common + rng.normal(size=(120, len(names)))
    frame = pd.DataFrame(np.clip(drawn.round(), 1, 7).astype(int), columns=names)
    return frame.assign(FLAT2=4, COPY3=frame["COPY1"])


@pytest.fixture
def opened(make_study, toy_spec):
    """Return a function that puts answers into a study with a model and opens it."""

    def of(frame: pd.DataFrame):
        text = {"en": "x", "zh": "x"}
        toy_spec["data"] = {"reader": "csv", "file": "raw/main.csv"}
        toy_spec["screening"] = {}
        toy_spec["constructs"] = [{"code": scale, "name": text} for scale in SCALES]
        toy_spec["models"] = {"measurement": {"title": text, "syntax": CONTINUED}}
        items = [{"item": i, "scale": "agree7", "construct": i[:-1]} for i in frame]
        return open_folder(
            make_study(spec=toy_spec, items=items, content=frame.to_csv(index=False))
        )

    return of


@pytest.fixture
def hard(opened):
    return opened(answers())


def test_one_unfit_scale_leaves_the_others_their_reliability(hard):
    rows = estimate_study_reliability(hard).rows.set_index("construct")
    frame = hard.responses[["SAT1", "SAT2", "SAT3"]]
    by_hand = 1.5 * (1 - frame.var().sum() / frame.sum(axis=1).var())
    assert rows.loc["SAT", "alpha"] == pytest.approx(by_hand)
    assert rows.loc["FLAT", "alpha"].why == "answers that never vary: FLAT2"
    assert rows.loc["ONE", "alpha"].why == "the construct has a single item"
    assert rows.loc["COPY", "omega"].why.startswith("an item follows from the others")
    assert set(study_more_reliability(hard, model=None, n_boot=20).rows["construct"]) == {
        "SAT",
        "COPY",
    }


def test_items_that_never_vary_are_left_out_of_factors_and_ratios_and_named(hard):
    found = study_correlations(hard, model=None)
    assert "FLAT2" not in found.corr.columns
    assert found.text().endswith("Left out because their answers never vary: FLAT2.")
    table = htmt_table(study_htmt(hard, model=None, n_boot=20), 5)
    assert table.note.endswith("never vary: FLAT2.")
    frame = hard.responses
    inner = abs(frame["FLAT1"].corr(frame["FLAT3"]))
    alone = study_htmt(hard, model=None, n_boot=0).pairs.iloc[0]
    between = frame[["SAT1", "SAT2", "SAT3"]].apply(lambda x: frame[["FLAT1", "FLAT3"]].corrwith(x))
    own = frame[["SAT1", "SAT2", "SAT3"]].corr().to_numpy()[np.triu_indices(3, 1)].mean()
    assert alone["htmt"] == pytest.approx(between.to_numpy().mean() / (inner * own) ** 0.5)
    assert htmt_table(study_htmt(hard, model=None, n_boot=0), 5).note.startswith(
        "Largest pairs shown: 3 of 3; n = 120"
    )


def test_a_scale_without_reliability_cannot_be_chosen(hard):
    result = estimate_study_reliability(hard)
    with pytest.raises(DataContractError, match="never vary: FLAT2; allowed are SAT, COPY"):
        chosen_scale(result, "FLAT")


def test_lines_of_a_model_go_on_as_in_lavaan(hard):
    assert scale_blocks(hard, model="measurement") == {
        "SAT": ["SAT1", "SAT2", "SAT3"],
        "COPY": ["COPY1", "COPY2"],
    }


def test_items_that_mirror_each_other_have_no_alpha():
    mirrored = pd.DataFrame({"a": [1, 2, 5, 3.0], "b": [5, 4, 1, 3.0]})
    with pytest.raises(DataContractError, match="a sum that never varies"):
        coefficient_alpha(mirrored, construct="M")


def test_a_copied_item_has_no_mahalanobis_distance(hard):
    """Rounding leaves a tiny pivot, and an inverse of noise, in about half of such matrices."""
    rng = np.random.default_rng(5)
    for _draw in range(20):
        frame = pd.DataFrame(rng.normal(size=(60, 5)) @ rng.normal(size=(5, 5)))
        assert isinstance(distance_basis(frame.assign(copy=0.1 * frame[0]).cov()), Unavailable)
        basis = distance_basis(frame.cov())
        assert np.allclose(basis @ frame.cov(), np.eye(5), atol=1e-6)
    found = careless_indices(hard.folder, hard.intake.meta, hard.intake.answers)
    assert found.unavailable["mahalanobis"].why == (
        "the covariance matrix of the items is not positive definite"
    )


def test_a_heywood_case_has_no_ave_and_the_page_goes_on(opened):
    """SAT1 is the mean of the others, rounded: r12 r13 / r23 is far above 1."""
    frame = answers()
    frame["SAT1"] = ((frame["SAT2"] + frame["SAT3"]) / 2).round().astype(int)
    r = frame[["SAT1", "SAT2", "SAT3"]].corr().to_numpy()
    assert r[0, 1] * r[0, 2] / r[1, 2] > 1.2
    fitted = fit_model(opened(frame), "measurement", estimator="ML", missing="listwise")
    table = validity_table(fitted)
    assert table.why == "standardised loadings lie beyond 1: SAT1"
    assert validity_sentence(fitted) == table


def test_disjoint_patterns_leave_little_nothing_to_test():
    frame = pd.DataFrame({"a": [1.0, 2, 5, None, None, None], "b": [None, None, None, 1.0, 2, 4]})
    assert little_test(frame, items=["a", "b"]).why == (
        "no item is answered in two patterns of blanks"
    )


def test_a_column_named_twice_is_told_as_such():
    frame = pd.DataFrame({"a": [1.0, 2, None, 4, 2, 5], "b": [2.0, 1, 3, 5, 4, None]})
    with pytest.raises(DataContractError, match="impute: columns of one name: a;"):
        impute(pd.concat([frame, frame[["a"]]], axis=1))
    with pytest.raises(DataContractError, match="little_test: columns of one name: a;"):
        little_test(frame, items=["a", "b", "a"])


def test_mardia_names_the_moment_that_departs():
    """Exponential items, cut so that the kurtosis is that of normal ones: skewed all the same."""
    rng = np.random.default_rng(8)
    skewed = np.minimum(rng.exponential(size=(400, 2)), 2.35)
    found = mardia_test(pd.DataFrame(skewed, columns=["a", "b"]), items=["a", "b"])
    assert found.skewness_p < 0.001
    assert "skewness of 2 items" in found.text()
    assert "(p < .001)" in found.text()


def test_no_sign_at_all_is_not_the_most_frequent_one(hard):
    signs = [name for name in SIGNS if name not in hard.marks.unavailable]
    hard.marks.table[signs] = False
    assert marks_sentence(hard) == "None of 120 rows carries a sign of carelessness."
    assert agreement_sentence(hard).startswith("No row carries two marks")


def test_problems_of_a_solution_are_sentences_side_by_side():
    found = ("The variance of A is estimated below zero (-2.82).", "No correlation exceeds 1.")
    assert problems_text(found) == f"{found[0]} {found[1]}"
    with in_language("zh"):
        assert problems_text(("甲。", "乙。")) == "甲。乙。"


def test_without_controls_no_model_with_auxiliary_variables_is_tried(opened):
    frame = answers().astype(object)
    frame.loc[:8, "SAT1"] = ""
    frame.loc[5:12, "COPY2"] = ""
    study = opened(frame)
    compared = compare_missing_methods(study, "measurement", auxiliary=study.responses[[]], m=2)
    assert compared.unavailable["fiml_auxiliary"].why == (
        "the study file names no controls that could stand beside the model"
    )
    assert {"fiml", "listwise"} <= set(compared.paths["method"])
