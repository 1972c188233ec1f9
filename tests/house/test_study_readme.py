"""Contract: data/README.md tells of every key that a study file may have."""

from pathlib import Path

import pytest

from helpers.service_specification import Service
from helpers.specification import StudySpec

TEXT = (Path(__file__).parents[2] / "data" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", sorted(StudySpec.model_fields))
def test_every_key_of_a_study_is_told(key):
    assert f"`{key}`" in TEXT


@pytest.mark.parametrize("part", sorted(Service.model_fields))
def test_every_part_of_service_is_told_with_its_keys(part):
    (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{part}` |")]
    (model,) = [m for m in Service.model_fields[part].annotation.__args__ if m is not type(None)]
    assert [key for key in model.model_fields if f"`{key}`" not in row] == []
