"""Contract: a matrix study gives its moments, or names the entries that are wrong."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.errors import CodebookError, DataContractError, Unavailable
from helpers.survey.codebook import check_study
from helpers.survey.load import open_folder

NAMES = ["A", "B", "C"]
LOWER = [[1], [0.5, 1], [0.3, 0.4, 1]]


@pytest.fixture
def matrix_study(make_study, toy_spec):
    """Return a function that writes a matrix study with the given entries changed."""

    def write(**changes):
        matrix = {"names": NAMES, "correlations": LOWER, "sds": [1, 2, 0.5], "n": None}
        matrix["n_reason"] = {"en": "the source does not print it", "zh": "来源未给出"}
        spec = {k: toy_spec[k] for k in ("id", "title", "provenance", "licence", "citation")}
        spec |= {"kind": "matrix", "constructs": toy_spec["constructs"]}
        spec["matrix"] = {k: v for k, v in (matrix | changes).items() if v != "absent"}
        return make_study(spec=spec, items=[])

    return write


def test_moments_by_hand(matrix_study):
    matrix = open_folder(matrix_study(n=120)).matrix
    expected = [[1, 1, 0.15], [1, 4, 0.4], [0.15, 0.4, 0.25]]
    np.testing.assert_allclose(matrix.cov, expected)
    assert matrix.n == 120
    assert isinstance(matrix.means, Unavailable)


def test_triangle_and_square_are_the_same(matrix_study):
    square = [[1, 0.5, 0.3], [0.5, 1, 0.4], [0.3, 0.4, 1]]
    a = open_folder(matrix_study()).matrix.corr
    assert a.equals(open_folder(matrix_study(correlations=square)).matrix.corr)


def test_without_n_tests_are_unavailable(matrix_study):
    study = open_folder(matrix_study())
    assert isinstance(study.matrix.n, Unavailable)
    assert "the source does not print it" in study.matrix.n.text()
    assert any(
        f.severity == "note" and "n_obs" in f.sentence for f in check_study(study.folder.folder)
    )


def test_n_can_be_given_by_the_user(matrix_study):
    assert open_folder(matrix_study(), n_obs=250).matrix.n == 250
    with pytest.raises(DataContractError, match="n_obs= is 3; it must be above 3"):
        open_folder(matrix_study(), n_obs=3)


def test_neither_n_nor_reason(matrix_study):
    with pytest.raises(CodebookError, match="n is missing"):
        open_folder(matrix_study(n_reason="absent"))


@pytest.mark.parametrize(
    ("correlations", "match"),
    [
        ([[1, 0.5, 0.3], [0.5, 1, 0.4], [0.3, 0.2, 1]],
         "C-B is 0.2 below and 0.4 above the diagonal"),
        ([[1], [0.5, 0.9], [0.3, 0.4, 1]], "B-B is 0.9 in place of 1"),
        ([[1], [1.5, 1], [0.3, 0.4, 1]], "B-A is 1.5, outside -1 to 1"),
        ([[1], [0.9, 1], [-0.9, 0.9, 1]], "not positive definite, smallest eigenvalue -0.8"),
        ([[1], [1.0, 1], [0.3, 0.3, 1]], "not positive definite"),
    ],
)  # fmt: skip
def test_faulty_entries_are_named(matrix_study, correlations, match):
    folder = matrix_study(correlations=correlations)
    with pytest.raises(DataContractError, match=match):
        open_folder(folder)
    assert [f.severity for f in check_study(folder)] == ["error"]


def test_wrong_shape_names_the_key(matrix_study):
    with pytest.raises(CodebookError, match="key matrix.*correlations must have 3 rows"):
        open_folder(matrix_study(correlations=[[1], [0.5, 1]]))


def test_rows_of_a_matrix_study(matrix_study):
    study = open_folder(matrix_study())
    with pytest.raises(DataContractError, match="published matrix without respondents"):
        _ = study.responses
    assert study.offers("matrix") is None
    assert "published matrix" in study.offers("rows").text()
    assert isinstance(study.offers("timing"), Unavailable)
