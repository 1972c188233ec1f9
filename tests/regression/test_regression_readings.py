"""Contract: tables, figures and sentences of regressions, also when it turns out otherwise."""

import dataclasses

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers import load_study
from helpers.errors import Unavailable
from helpers.plots import describe, plot_forest
from helpers.regression import (
    dominance,
    relative_weights,
    study_match,
    study_regressions,
    study_surfaces,
)
from helpers.regression.hierarchical import spoken_p
from helpers.regression.study_change import Paradox, study_against_control
from helpers.regression.study_importance import Importance
from helpers.tables import changing, dosing, importance, regressing
from helpers.tables.apa import apa_table
from helpers.tables.columns import Column, interval_column


@pytest.fixture(scope="module")
def shopping():
    return load_study("online_shopping")


def shifted(match, by):
    """Return a match whose overall contrast is moved."""
    table = match.planned.contrasts.copy()
    table[["estimate", "joint_low", "joint_high"]] += by
    return dataclasses.replace(match, planned=dataclasses.replace(match.planned, contrasts=table))


def test_match_is_read_by_its_sign(shopping):
    found = study_match(shopping, "H6", ["REC"])
    assert " higher (" in dosing.match_sentence(found, shopping)
    other = dosing.match_sentence([shifted(found[0], -10)], shopping)
    assert " lower (" in other and "quality is −" not in other
    row = found[0].planned.contrast("match")
    none = dosing.match_sentence([shifted(found[0], -row["estimate"])], shopping)
    assert "is not settled" in none and " lower (" not in none


def test_control_is_read_by_size_and_alone(shopping):
    table = study_against_control(shopping, ["OSAT", "RSAT"], before="PRESAT", hypothesis="H10")
    turned = table.assign(g=[-0.9, 0.1])
    said = changing.control_sentence(turned, shopping)
    assert said.index("overall satisfaction") < said.index("recovery satisfaction")
    assert "largest" not in changing.control_sentence(table.head(1), shopping)


def test_paradox_without_effect_is_undecided_or_the_same():
    row = {"group": "all", "ci_low": -0.1, "ci_high": 0.1, "change": 0.0, "n": 50}
    for equivalent, word in ((True, "practically the same"), (False, "undecided")):
        table = pd.DataFrame([row | {"equivalent": equivalent}])
        found = Paradox(table, "PRESAT", "OSAT", 6.0, {}, 0.95)
        assert word in changing.paradox_sentence(found)


def test_weights_say_how_many_are_above_noise(shopping):
    rng = np.random.default_rng(3)
    names = shopping.construct_codes[:3]
    data = pd.DataFrame(rng.normal(size=(80, 3)), columns=names)
    options = {"outcome": names[0], "predictors": names[1:], "n_boot": 200}
    found = Importance(
        names[0], tuple(names[1:]), relative_weights(data, **options), dominance(data, **options)
    )
    assert "above noise: 0 of 2" in importance.weights_sentence(found, shopping)


def test_one_problem_text_a_surface(shopping):
    from helpers.tables import formulas

    found = study_surfaces(shopping, n_boot=20)
    said = formulas.surface_sentence(found)
    assert said.count("For x:") == len(found) and "rises" not in said


@pytest.mark.parametrize("name", ["online_shopping", "ecsi_mobile"])
def test_largest_slope_is_that_of_the_table_controls_aside(name):
    study = load_study(name)
    background = {"online_shopping": 15, "ecsi_mobile": 0}[name]
    for result in study_regressions(study).values():
        assert len(result.controls) == background
        rows = result.last()
        if background:  # the first step of the shop study holds nothing but background questions
            rows = rows.iloc[background:]
        top = rows.loc[rows["beta"].abs().idxmax(), "term"]
        assert f"belongs to {top}:" in regressing.slope_sentences({"a": result})
        assert len(regressing.slopes_picture({"a": result})) == len(rows)


def test_blocks_are_read_by_their_interval(shopping, monkeypatch):
    (found,) = regressing.hypothesis_evidence(
        shopping, next(h for h in shopping.spec.hypotheses if h.id == "H7")
    )
    said = {(0.6, 0.7): "weighs most", (0.3, 0.4): "other block", (0.4, 0.6): "not settled"}
    for (low, high), word in said.items():
        other = dataclasses.replace(found, ci_low=low, ci_high=high)
        monkeypatch.setattr(regressing, "hypothesis_evidence", lambda *_a, o=other: [o])
        assert word in regressing.block_sentence(shopping, "H7")
    assert isinstance(regressing.block_sentence(shopping, "H1"), Unavailable)


def test_cells_of_few_people_are_not_drawn(shopping):
    (found,) = study_match(shopping, "H6", ["REC"])
    thin = found.fine.assign(n=[4, *found.fine["n"][1:]])
    drawn = dosing.match_picture([dataclasses.replace(found, fine=thin)], shopping)
    assert len(drawn) == len(found.fine) - 1
    none = dataclasses.replace(found, fine=found.fine.assign(n=4))
    assert isinstance(dosing.match_picture([none], shopping), Unavailable)


def test_p_as_spoken():
    assert [spoken_p(p) for p in (0.0004, 0.012, 0.9996, 1.0)] == [
        "< .001", "= .012", "> .999", "> .999",
    ]  # fmt: skip


def test_slope_per_yuan_keeps_its_digits():
    rows = pd.DataFrame(
        {
            "term": ["value", "age"], "b": [0.00012, 0.5], "se": [0.00008, 0.1],
            "ci_low": [-0.00004, 0.3], "ci_high": [0.00028, 0.7],
        }
    )  # fmt: skip
    columns = [
        Column("term", "Term", "text"), Column("b", "B", scale="se"), interval_column(scale="se"),
    ]  # fmt: skip
    cells = apa_table(rows, caption="Slopes", columns=columns).cells
    assert cells == (
        ("value", "0.000120", "[−0.000040, 0.000280]"),
        ("age", "0.50", "[0.30, 0.70]"),
    )


def test_forest_moves_only_labels_that_groups_share():
    data = pd.DataFrame(
        {"label": ["a", "b", "b"], "estimate": [1.0, 2, 3], "ci_low": [0.0, 1, 2],
         "ci_high": [2.0, 3, 4], "way": ["one", "one", "two"]}
    )  # fmt: skip
    ax = plot_forest(data, group="way")
    points = [line for line in ax.lines if line.get_marker() not in ("None", "")]
    drawn = sorted(y for line in points for y in line.get_ydata())
    plt.close(ax.figure)
    assert drawn[0] == 0 and drawn[1] < 1 < drawn[2]
    text = describe.forest(data, group="way")
    assert "a 1.00" in text and "b, one 2.00" in text and "b, two 3.00" in text


@pytest.mark.slow
def test_numbers_have_the_same_names_in_every_language():
    from helpers.i18n import in_language

    names = []
    for language in ("en", "zh"):
        with in_language(language):
            study = load_study("online_shopping")
            names.append([n.id for n in regressing.regression_numbers(study_regressions(study))])
    assert names[0] == names[1]
    assert all(name.isascii() for name in names[0])
