"""Contract: checklists are filled from the study, name gaps first, and claim nothing more."""

import pytest

from helpers import load_study
from helpers.errors import Unavailable
from helpers.i18n import in_language
from helpers.sem.effects import study_effects
from helpers.sem.study_fit import fit_model
from helpers.specification import Bilingual, Statements
from helpers.tables import study_report
from helpers.tables.jars import jars_points, jars_table
from helpers.tables.reporting import Point, checklist_sentence
from helpers.tables.top import top_points, top_table


@pytest.fixture(scope="module", params=["online_shopping", "maxham_netemeyer_2003"])
def filled(request):
    study = load_study(request.param)
    fit, measured = fit_model(study, "structural"), fit_model(study, "measurement")
    effects = study_effects(fit, n_draws=200, seed=1)
    compared = study_report.rivals(study)
    return (
        study,
        fit,
        jars_points(study, fit, measured=measured, effects=effects, compared=compared),
    )


def by_asked(points):
    return {point.asked: point for point in points}


def test_gaps_come_first_and_every_point_has_an_answer(filled):
    points = filled[2]
    frame = jars_table(points).frame
    rank = {"open": 0, "in part": 1, "answered": 2, "does not apply": 3}
    order = [rank[state] for state in frame["state"]]
    assert order == sorted(order)
    assert all(point.answer.strip() for point in points)
    assert len({point.asked for point in points}) == len(points)


def test_what_only_authors_can_say_is_a_gap_until_they_say_it(filled):
    study = filled[0]
    asked = "registration of the study"
    assert by_asked(top_points(study))[asked].state == "gap"
    words = Statements(registration=Bilingual(en="Not registered.", zh="未注册。"))
    object.__setattr__(study.folder, "spec", study.spec.model_copy(update={"statements": words}))
    try:
        point = by_asked(top_points(study))[asked]
    finally:
        bare = study.spec.model_copy(update={"statements": Statements()})
        object.__setattr__(study.folder, "spec", bare)
    assert (point.state, point.answer) == ("answered", "Not registered.")


def test_the_points_count_parameters_as_the_fit_does(filled):
    _study, fit, points = filled
    text = by_asked(points)["parameters, observations, degrees of freedom"].answer
    npar, moments, df = (int("".join(filter(str.isdigit, part))) for part in text.split(","))
    k = len(fit.result.observed)
    means = k if fit.result.meanstructure else 0
    assert (npar, df) == (fit.result.npar, fit.result.test.df)
    assert moments == k * (k + 1) // 2 + means
    assert moments - npar == df or fit.name == "structural"


def test_a_matrix_without_n_is_not_called_answered():
    study = load_study("maxham_netemeyer_2003")
    fit = fit_model(study, "structural")
    nothing = Unavailable("a model", "the study has none")
    points = by_asked(jars_points(study, fit, measured=nothing, effects=nothing, compared=nothing))
    assert points["global fit, several measures"].state == "partly"
    assert "All four" not in points["cut-offs with their source"].answer
    assert points["distributions"].state == "not_applicable"
    assert points["measurement model tested before the structural one"].state == "gap"
    assert points["rival models, with the test between them"].state == "gap"


def test_a_study_without_a_model_says_so():
    study = load_study("maxham_netemeyer_2003")
    nothing = Unavailable("the model 'structural'", "the study defines none")
    points = jars_points(study, nothing, measured=nothing, effects=nothing, compared=nothing)
    assert points[-1].state == "gap" and "the study defines none" in points[-1].answer


def test_the_sentence_counts():
    points = [
        Point("a", "x", "gap", "-"), Point("a", "y", "answered", "-"),
        Point("a", "z", "partly", "-"), Point("a", "w", "not_applicable", "-"),
    ]  # fmt: skip
    text = checklist_sentence(points)
    assert text.startswith("Of 3 points that apply, 1 are answered, 1 in part.")
    assert text.endswith("The author must still add: x.")
    assert checklist_sentence(points[1:2]).endswith("None is left open.")


def test_both_languages():
    study = load_study("online_shopping")
    with in_language("zh"):
        table = top_table(study)
    assert "透明与开放" in table.caption
    assert set(table.frame["state"]) <= {"未交代", "部分交代", "已交代", "不适用"}
