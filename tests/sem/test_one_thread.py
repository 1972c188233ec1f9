"""Contract: small models are fitted with one BLAS thread, and the caller keeps those it had."""

import inspect

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from helpers.blas import one_thread
from helpers.sem.fit import fit


def blas_threads():
    return {
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    }


@one_thread
def inside(fail=False):
    if fail:
        raise ValueError("as asked")
    return blas_threads()


@pytest.fixture(autouse=True)
def two():
    with threadpool_limits(limits=2, user_api="blas"):
        if blas_threads() != {2}:
            pytest.skip("this BLAS has one thread only")
        yield


def test_inside_there_is_one_and_afterwards_as_many_as_before():
    assert inside() == {1}
    assert blas_threads() == {2}


def test_after_an_error_too():
    with pytest.raises(ValueError, match="as asked"):
        inside(fail=True)
    assert blas_threads() == {2}


def test_fit_keeps_its_signature_and_the_callers_threads():
    assert "estimator" in inspect.signature(fit).parameters
    np.linalg.inv(np.eye(3))
    assert inspect.unwrap(fit) is not fit and blas_threads() == {2}
