"""Method bias and further reliability of whole studies: planted truth, contract."""

from dataclasses import replace

import pytest

from helpers import load_study
from helpers.errors import Unavailable
from helpers.sem import study_method
from helpers.sem.study_reliability import study_more_reliability
from helpers.tables import method_bias, reliability


@pytest.fixture(scope="module")
def shopping():
    return load_study("online_shopping")


@pytest.fixture(scope="module")
def published():
    return load_study("maxham_netemeyer_2003")


def test_the_marker_is_planted_unrelated(shopping):
    assert study_method.study_marker(shopping).code == "MRK"
    found = study_method.study_marker_paths(shopping, "structural")
    assert found.adjustment.marker_correlations.abs().max() < 0.1  # two errors of r at n = 723
    assert not found.adjustment.pairs["lost"].any()


def test_every_path_stands_in_one_table(shopping):
    paths = study_method.study_method_paths(shopping, "mediation_partial")
    scores = study_method.study_marker_paths(shopping, "mediation_partial")
    table = method_bias.changes_table(shopping, paths, scores)
    assert len(table.frame) == 3
    without = method_bias.changes_table(shopping, paths, Unavailable("a marker", "none was asked"))
    assert len(without.frame) == 3
    assert "→" in method_bias.changes_sentence(shopping, paths)


def test_a_published_matrix_has_no_marker(published):
    assert isinstance(study_method.study_marker(published), Unavailable)
    assert isinstance(study_method.study_marker_models(published, "structural"), Unavailable)
    assert isinstance(study_more_reliability(published), Unavailable)


def test_coefficients_of_a_model_agree_with_each_other(shopping):
    found = study_more_reliability(shopping, model="mediation_partial", n_boot=50, n_boot_facets=5)
    gap = (found.rows["cr"].astype(float) - found.rows["omega_cat"].astype(float)).abs()
    assert gap.max() < 0.02  # seven categories, near normal
    assert set(found.facets["construct"]) == {"JUS", "LOY"}
    assert (found.facets["omega_h"] < found.facets["omega_t"]).all()
    assert len(reliability.facets_table(shopping, found).frame) == 4


def test_every_correction_has_its_check(shopping):
    found = study_method.study_method_paths(shopping, "mediation_partial")
    checks = method_bias.method_checks(found)
    assert len(checks) == len(found.variants) == 4
    assert all("of 3 paths stay inside" in check.text for check in checks)
    lost = replace(found.models["factor_free"].result, admissible=False)
    models = {**found.models, "factor_free": replace(found.models["factor_free"], result=lost)}
    broken = method_bias.method_checks(replace(found, models=models))
    assert [check.passed for check in broken] == [True, True, True, None]
    assert broken[-1].text == "No paths to compare: not admissible."
    turned = found.paths.assign(marker_free=-found.paths["base"])
    third = method_bias.method_checks(replace(found, paths=turned))[1]
    assert third.passed is False and "sign changes: 3" in third.text


def test_later_phases_pass_on_why_there_is_no_marker(published, shopping):
    lacking = study_method.study_marker_models(published, "structural")
    assert study_method.study_reliability_parts(lacking) == lacking
    assert study_method.study_marker_sensitivity(published, lacking) == lacking
    steps = study_method.study_marker_models(shopping, "mediation_partial")
    bad = replace(steps.models["baseline"].result, admissible=False)
    models = {**steps.models, "baseline": replace(steps.models["baseline"], result=bad)}
    found = study_method.study_reliability_parts(replace(steps, models=models))
    assert isinstance(found, Unavailable) and "no admissible solution" in found.why
