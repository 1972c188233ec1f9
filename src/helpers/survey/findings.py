"""One thing that is wrong, or worth knowing, about a study's files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from helpers.errors import DataContractError

Severity = Literal["error", "mark", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a check.

    Attributes
    ----------
    severity : {"error", "mark", "note"}
        ``error`` stops loading; ``mark`` is set missing or marked and counted in the log;
        ``note`` is information.
    place : str
        File, and item or row where it was found.
    sentence : str
        What was found; what is allowed; what to do next.
    """

    severity: Severity
    place: str
    sentence: str


def findings_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Return findings as a table with columns severity, place, sentence."""
    rows = [(f.severity, f.place, f.sentence) for f in findings]
    return pd.DataFrame(rows, columns=["severity", "place", "sentence"])


def raise_errors(findings: Iterable[Finding], *, where: str) -> None:
    """Raise one ``DataContractError`` that lists every finding of severity ``error``."""
    errors = [f for f in findings if f.severity == "error"]
    if len(errors) == 1:
        raise DataContractError(f"{errors[0].place}: {errors[0].sentence}")
    if errors:
        lines = "\n".join(f"  - {f.place}: {f.sentence}" for f in errors)
        raise DataContractError(f"{where}: {len(errors)} faults.\n{lines}")
