"""One thread for linear algebra on small matrices.

BLAS starts its threads for every product however small, and they wait for each other: a model of
thirty items fits two to five times as fast with one thread on a machine of two cores, and the
difference grows with the cores.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

Given = ParamSpec("Given")
Result = TypeVar("Result")


def one_thread(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Make a function run with one BLAS thread; afterwards there are as many as before."""

    @wraps(function)
    def limited(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        with _controller().limit(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return limited


@cache
def _controller() -> ThreadpoolController:
    """Return the handle of the libraries that are loaded by the first call."""
    return ThreadpoolController()
