"""Hand calculations and contracts: effect of exclusions, sizes of groups, real respondents."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from helpers.errors import DataContractError, Unavailable
from helpers.study import read_folder, study_folder
from helpers.survey.codebook import check_study
from helpers.survey.groups import comparable_groups
from helpers.survey.load import load_study, open_folder
from helpers.survey.readers.files import locate
from helpers.survey.sensitivity import compare_exclusions, planted_faults, welch_interval
from helpers.tables.survey_sample import group_checks

from .conftest import qualtrics_text, respondent

MOBI = Path(__file__).parents[3] / "shared" / "realdata" / "ecsi_mobi" / "mobi.csv"


def many(codes: list[str]) -> str:
    """Return a file in which respondent i answers CONSENT with ``codes[i]``."""
    return qualtrics_text(
        [
            respondent(i, code, "5", "6", "2", "6", "1", "30", StartDate="2026-03-02 09:00:00")
            for i, code in enumerate(codes, start=1)
        ]
    )


GROUPS = {"consent": {"item": "CONSENT", "title": {"en": "consent", "zh": "同意"}}}


def test_welch_by_hand():
    x, y = pd.Series([1.0, 2, 3]), pd.Series([2.0, 4, 6, 8])
    # variances 1 and 20/3; se^2 = 1/3 + 5/3 = 2; df = 4 / (1/18 + 25/27) = 4.075472
    low, high = welch_interval(x, y)
    assert (low + high) / 2 == pytest.approx(-3)
    # t(.975, 4.075472) = 2.757
    assert (high - low) / 2 == pytest.approx(2.757 * 2**0.5, abs=2e-3)


def test_excluded_rows_are_compared(make_study):
    rows = [respondent(i, "1", str(4 + i % 2), "5", "4", "6", "1", "30") for i in range(1, 11)]
    rows += [respondent(i, "1", "1", "1", "7", "3", "1", "30") for i in range(11, 17)]
    study = open_folder(make_study(content=qualtrics_text(rows)))
    table = compare_exclusions(study).set_index("construct")
    assert table.loc["SAT", ["n_kept", "n_excluded"]].tolist() == [10, 6]
    # by hand: kept (4.5 + 5 + 4) / 3 = 4.5 on average, excluded all 1
    assert table.loc["SAT", "mean_kept"] == pytest.approx(4.5)
    assert table.loc["SAT", "difference"] == pytest.approx(-3.5)
    assert table.loc["SAT", "mean_all"] == pytest.approx((10 * 4.5 + 6) / 16)


def test_without_exclusions_there_is_nothing_to_compare(make_study, toy_spec):
    study = open_folder(make_study(spec=toy_spec | {"screening": {}}))
    assert isinstance(compare_exclusions(study), Unavailable)
    assert isinstance(planted_faults(study), Unavailable)


def test_small_groups_are_left_out_and_counted(make_study, toy_spec):
    toy_spec |= {"groups": GROUPS, "screening": {}}
    codes = ["1"] * 4 + ["2"] * 3
    study = open_folder(make_study(spec=toy_spec, content=many(codes)))
    groups = comparable_groups(study, "consent", least=3)
    assert groups.sizes.to_dict() == {"Yes": 4, "No": 3}
    assert groups.too_small.empty


def test_too_few_people_is_an_error_with_every_size(make_study, toy_spec):
    toy_spec |= {"groups": GROUPS, "screening": {}}
    study = open_folder(make_study(spec=toy_spec, content=many(["1"] * 9 + ["2"] * 3)))
    expected = "groups of Yes 9, No fewer than 5 people; at least two"
    with pytest.raises(DataContractError, match=expected):
        comparable_groups(study, "consent")


def test_sizes_of_small_groups_are_not_told(make_study, toy_spec):
    """A count below the least cell points at persons, in a check as in a table."""
    toy_spec |= {"groups": GROUPS, "screening": {}}
    study = open_folder(make_study(spec=toy_spec, content=many(["1"] * 9 + ["2"] * 3)))
    check = group_checks(study)[0]
    assert "The smallest group has < 5 people" in check.text and check.value is None
    assert check.passed is False
    toy_spec |= {"privacy": {"k": 3}}
    study = open_folder(make_study(spec=toy_spec, content=many(["1"] * 9 + ["2"] * 3)))
    assert group_checks(study)[0].value == 3


def test_unknown_grouping_lists_the_known(make_study, toy_spec):
    toy_spec |= {"groups": GROUPS, "screening": {}}
    study = open_folder(make_study(spec=toy_spec))
    with pytest.raises(DataContractError, match="allowed are consent. Did you mean 'consent'"):
        comparable_groups(study, "consnt")


def test_real_respondents_are_read_as_they_are():
    """Reference: the copy of the same 250 people that is not read by this suite."""
    folder = read_folder(study_folder("ecsi_mobile"))
    try:
        locate(folder.spec.data, folder.folder)
    except DataContractError:
        pytest.skip("the optional package with the real respondents is not installed")
    study = load_study("ecsi_mobile")
    assert len(study.responses) == 250
    assert not study.responses[list(study.items["item"])].isna().any().any()
    assert [f for f in check_study("ecsi_mobile") if f.severity == "error"] == []
    if not MOBI.is_file():
        pytest.skip("the copy to compare with lies outside the project")
    copy = pd.read_csv(MOBI)
    assert (study.responses[list(copy)] == copy).all().all()


def test_published_matrix_opens():
    study = load_study("maxham_netemeyer_2003")
    assert study.matrix.corr.loc["SSR", "WOM"] == 0.70
    assert study.matrix.cov.loc["SSR", "WOM"] == pytest.approx(0.70 * 1.01 * 0.92)
    assert isinstance(study.matrix.n, Unavailable)
