"""Contract: where intervals are all that draws are for, no draw is refused by name."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataContractError
from helpers.service.importance_map import driver_map
from helpers.service.lifecycle_value import Assumptions, customer_value
from helpers.service.quality_gaps import gap_index


@pytest.fixture(scope="module")
def rows():
    values = np.random.default_rng(1).integers(1, 8, size=(60, 5)).astype(float)
    return pd.DataFrame(values, columns=list("abcde"))


def test_an_index_of_gaps(rows):
    with pytest.raises(DataContractError, match="gap_index: n_boot= is 0; at least 1 draw"):
        gap_index(rows[["a", "b"]] - 4, rows[["a", "b"]], rows["e"], n_boot=0)


def test_a_map_of_drivers(rows):
    ranges = dict.fromkeys(rows, (1, 7))
    with pytest.raises(DataContractError, match="driver_map: n_boot= is 0; at least 1 draw"):
        driver_map(rows, "e", ["a", "b"], ranges=ranges, n_boot=0)


def test_the_worth_of_a_customer(rows):
    with pytest.raises(DataContractError, match="customer_value: n_boot= is 0; at least 1 draw"):
        told = Assumptions(0.3, 0.1, 6.0, 3.0)
        customer_value(rows["a"], rows["b"] - 1, rows["c"], told, n_boot=0)
