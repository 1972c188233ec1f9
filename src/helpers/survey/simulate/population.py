"""Read ``population.yml``: every number the simulation uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from helpers import paths
from helpers.errors import CodebookError, listing

SECTIONS = (
    "seed", "n", "field_period", "people", "recovery", "structure", "measurement", "ratings",
    "tables", "formulas", "contamination", "modules",
)  # fmt: skip

Population = dict[str, Any]
"""The parsed file, section by section."""


def read_population(path: Path) -> Population:
    """Return the planted truth of a simulated study.

    Raises
    ------
    CodebookError
        The file is missing, is not valid YAML, or lacks a section.
    """
    name = paths.shown(path)
    if not path.is_file():
        raise CodebookError(
            f"read_population: path= {name} is not there; a simulated study needs it. Restore the "
            "file, or remove the key truth from study.yml."
        )
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise CodebookError(
            f"read_population: {name} is not valid YAML ({error}); correct it at that place."
        ) from None
    missing = [s for s in SECTIONS if not isinstance(values, dict) or s not in values]
    if missing:
        raise CodebookError(
            f"read_population: {name} lacks {listing(missing)}; it needs {listing(SECTIONS)}. "
            "Compare with data/online_shopping/population.yml."
        )
    return values
