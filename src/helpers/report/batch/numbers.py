"""The key numbers of a report, read from its ``results.json``.

``30.alpha_REC`` is a number of notebook 30; ``50.paths`` every row of its table ``paths`` that has
an estimate, ``50.paths.2`` the second of them. Rows are told apart by their place in the table,
which does not depend on the language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.report import manifest

DEFAULT = ("50.paths",)
"""Where a batch names no key numbers: the paths of the structural model."""
_ESTIMATES = ("estimate", "value")
_LOW, _HIGH = "ci_low", "ci_high"


def read_numbers(folder: Path, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """Return the key numbers of a report that it holds, in the order asked for.

    Returns
    -------
    list of dict
        ``id`` (as asked, with the row of a table), ``label`` in the language of the report,
        ``value``, ``low``, ``high`` (None without an interval) and ``n``.
    """
    notebooks = manifest.read_json(folder / manifest.RESULTS).get("notebooks", {})
    found: dict[str, dict[str, Any]] = {}
    for name in wanted or DEFAULT:
        for number in _named(notebooks, name):
            found.setdefault(number["id"], number)
    return list(found.values())


def is_number_name(text: str) -> bool:
    """Tell whether a text has the form of a key number."""
    notebook, _dot, rest = text.partition(".")
    return len(notebook) == 2 and notebook.isdigit() and rest.strip() != ""


def _named(notebooks: Mapping[str, Mapping[str, Any]], name: str) -> Iterator[dict[str, Any]]:
    """Yield the numbers of one name."""
    notebook, _dot, rest = name.partition(".")
    for key in sorted(notebooks):
        if key[:2] == notebook:
            results = notebooks[key]
            yield from _single(results.get("numbers", []), notebook, rest)
            yield from _rows(results.get("tables", []), notebook, rest)


def _single(
    numbers: Sequence[Mapping[str, Any]], notebook: str, id: str
) -> Iterator[dict[str, Any]]:
    """Yield the recorded number of an id."""
    for number in numbers:
        if number["id"] == id and number.get("value") is not None:
            yield {
                "id": f"{notebook}.{id}", "label": id, "value": number["value"],
                "low": number.get("ci_low"), "high": number.get("ci_high"),
                "n": number.get("n_used"),
            }  # fmt: skip


def _rows(
    tables: Sequence[Mapping[str, Any]], notebook: str, name: str
) -> Iterator[dict[str, Any]]:
    """Yield the estimates of a table, or the one of a row of it."""
    id, _dot, place = name.partition(".")
    table = next((t for t in tables if t["id"] == id), None)
    basis = (table or {}).get("basis") or {}
    for position, row in enumerate(table["table"]["rows"] if table else (), start=1):
        value = next((row[c] for c in _ESTIMATES if _is_number(row.get(c))), None)
        if value is None or (place and place != str(position)):
            continue
        low, high = (row[c] if _is_number(row.get(c)) else None for c in (_LOW, _HIGH))
        yield {
            "id": f"{notebook}.{id}.{position}", "label": _label(row), "value": value,
            "low": low, "high": high, "n": row.get("n_used") or basis.get("n_used"),
        }  # fmt: skip


def _label(row: Mapping[str, Any]) -> str:
    """Return the words of a row: an arrow between a predictor and its outcome."""
    if {"predictor", "outcome"} <= row.keys():
        return f"{row['predictor']} → {row['outcome']}"
    if "way" in row:
        return f"{row['way']} ({row['effect']})" if row.get("effect") else str(row["way"])
    return ", ".join(str(v) for v in row.values() if isinstance(v, str) and v) or "-"


def _is_number(value: Any) -> bool:
    """Tell whether a cell holds a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)
