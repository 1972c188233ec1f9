"""Two runs side by side: which numbers changed, and what differs that can have changed them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import paths
from helpers.errors import ReportError
from helpers.report.manifest import MANIFEST, RESULTS, read_json

TOLERANCE = 1e-9
"""Relative difference below which two numbers are the same: last bits vary between machines."""

_ROW_KEYS = 2
_Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that differs between two runs and may change numbers.

    Attributes
    ----------
    kind : str
        ``data``, ``parameter``, ``code``, ``version`` or ``engine``.
    text : str
        What it was and what it is, as ``parameter n_boot 2000 -> 5000``.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One result that differs.

    Attributes
    ----------
    notebook, place, column : str
        Where it stands: table and row, number, check or sentence.
    before, after : object
        None where the result is in one run only.
    causes : tuple of Cause
        What differs between the two executions of that notebook; empty if nothing recorded does.
    """

    notebook: str
    place: str
    column: str
    before: Any
    after: Any
    causes: tuple[Cause, ...]

    def text(self) -> str:
        """Return the change in one line."""
        where = f"{self.notebook}  {self.place}" + (f", {self.column}" if self.column else "")
        if self.before is None or self.after is None:
            only = "only in the second run" if self.before is None else "only in the first run"
            shown = self.after if self.before is None else self.before
            return f"{where}: {_shown(shown)} ({only})"
        return f"{where}: {_shown(self.before)} -> {_shown(self.after)}{self._by()}"

    def _by(self) -> str:
        """Return by how much a number changed."""
        if not (_is_number(self.before) and _is_number(self.after)):
            return ""
        return f" ({self.after - self.before:+.3g})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two runs have in common and where they differ.

    Attributes
    ----------
    changes : tuple of Change
    n_same : int
        Results that are equal.
    unlike : Mapping[str, tuple[Cause, ...]]
        Notebook -> what differs between its two executions, changed numbers or not.
    only_first, only_second : tuple of str
        Notebooks that one run lacks.
    texts : bool
        Whether words were compared too: the runs are in one language.
    """

    changes: tuple[Change, ...]
    n_same: int
    unlike: Mapping[str, tuple[Cause, ...]]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    texts: bool = True

    @property
    def same(self) -> bool:
        """Tell whether every result of both runs is equal."""
        return not (self.changes or self.only_first or self.only_second)

    def lines(self, *, most: int = 40) -> Iterator[str]:
        """Yield the comparison as text: causes first, then the changes of each notebook."""
        for notebook in sorted({change.notebook for change in self.changes}):
            causes = self.unlike.get(notebook, ())
            words = "; ".join(cause.text for cause in causes)
            yield f"{notebook}: {words or 'nothing that is recorded differs'}"
            own = [change for change in self.changes if change.notebook == notebook]
            for change in own[:most]:
                yield f"  {change.text()}"
            if len(own) > most:
                yield f"  and {len(own) - most} more (--json lists all)"
        for names, which in ((self.only_first, "first"), (self.only_second, "second")):
            for name in names:
                yield f"{name}: only in the {which} run"
        if not self.texts:
            yield "The runs are in two languages: numbers were compared, words were not."
        yield f"{len(self.changes)} results differ, {self.n_same} are the same."

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON can hold it."""
        return {
            "n_same": self.n_same,
            "texts": self.texts,
            "only_first": list(self.only_first),
            "only_second": list(self.only_second),
            "unlike": {name: [c.text for c in causes] for name, causes in self.unlike.items()},
            "changes": [
                {
                    "notebook": change.notebook,
                    "place": change.place,
                    "column": change.column,
                    "before": change.before,
                    "after": change.after,
                    "causes": [cause.text for cause in change.causes],
                }
                for change in self.changes
            ],
        }


def compare_runs(first: Path, second: Path) -> Comparison:
    """Compare two runs result by result.

    Results are matched by notebook, table, row and column; rows by the text cells in front of
    their numbers, so that an added row moves no other. Numbers are the same within a relative
    difference of ``TOLERANCE``; text must be equal, and is compared only between runs in one
    language.

    Parameters
    ----------
    first, second : Path
        Folders of two runs, with ``results.json`` and ``manifest.json``.

    Raises
    ------
    ReportError
        A folder holds no run, or a ``results.json`` that is not as a run writes it.
    """
    results = [_read(folder, RESULTS)["notebooks"] for folder in (first, second)]
    manifests = [_read(folder, MANIFEST) for folder in (first, second)]
    texts = manifests[0].get("language") == manifests[1].get("language")
    changes: list[Change] = []
    unlike: dict[str, tuple[Cause, ...]] = {}
    n_same = 0
    for name in sorted(results[0].keys() & results[1].keys()):
        causes = unlike[name] = find_causes(*manifests, name)
        before, after = (
            _results(folder, result, name, texts=texts)
            for folder, result in zip((first, second), results)
        )
        for place in [*before, *(p for p in after if p not in before)]:
            old, new = before.get(place), after.get(place)
            if _equal(old, new):
                n_same += 1
            else:
                changes.append(Change(name, *_told(place), old, new, causes))
    return Comparison(
        tuple(changes),
        n_same,
        {name: causes for name, causes in unlike.items() if causes},
        tuple(sorted(results[0].keys() - results[1].keys())),
        tuple(sorted(results[1].keys() - results[0].keys())),
        texts,
    )


def find_causes(
    first: Mapping[str, Any], second: Mapping[str, Any], notebook: str
) -> tuple[Cause, ...]:
    """Return what differs between two executions of a notebook, from the runs' manifests."""
    entries = [manifest.get("notebooks", {}).get(notebook, {}) for manifest in (first, second)]
    causes: list[Cause] = []
    parameters = [entry.get("parameters", {}) for entry in entries]
    studies = [
        given.get("study", run.get("study")) for given, run in zip(parameters, (first, second))
    ]
    if studies[0] != studies[1]:
        causes.append(Cause("data", f"study {studies[0]} -> {studies[1]}"))
    alike = first.get("study") == second.get("study")
    if alike and entries[0].get("data_hash") != entries[1].get("data_hash"):
        causes += _changed_files(first, second)
    told = ("study", "language")
    own = [{k: v for k, v in given.items() if k not in told} for given in parameters]
    causes += _unlike("parameter", *own)
    made = [entry.get("made_from", {}) for entry in entries]
    if made[0].get("notebook") != made[1].get("notebook"):
        causes.append(Cause("code", "notebook changed"))
    codes = [entry.get("code") for entry in entries]
    if isinstance(codes[0], Mapping) and isinstance(codes[1], Mapping):
        rooms = [k for k in sorted({*codes[0], *codes[1]}) if codes[0].get(k) != codes[1].get(k)]
        causes += [Cause("code", _room_changed(room)) for room in rooms]
    elif entries[0].get("commit") != entries[1].get("commit"):
        before, after = (entry.get("commit") or "not recorded" for entry in entries)
        causes.append(Cause("code", f"code {before} -> {after}"))
    # A run holds notebooks of several calls: each has versions of its own.
    versions = [m.get("versions", run.get("versions", {})) for m, run in zip(made, (first, second))]
    causes += _unlike("version", *versions)
    kernels = [m.get("kernels") for m in made]
    if all(kernels) and kernels[0] != kernels[1]:
        causes.append(Cause("engine", f"kernels {kernels[0]} -> {kernels[1]}"))
    return tuple(causes)


def _room_changed(room: str) -> str:
    """Return in words that the code of a room, or the Chinese texts of the suite, changed."""
    return "translations changed" if room.endswith(".locale") else f"code of {room} changed"


def _changed_files(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Cause]:
    """Return which files of the study differ."""
    files = [manifest.get("data", {}).get("files", {}) for manifest in (first, second)]
    names = [k for k in sorted({*files[0], *files[1]}) if files[0].get(k) != files[1].get(k)]
    return [Cause("data", f"data changed: {name}") for name in names] or [
        Cause("data", "data changed")
    ]


def _unlike(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Cause]:
    """Return the keys whose values differ."""
    return [
        Cause(kind, f"{kind} {key} {before.get(key, 'not set')} -> {after.get(key, 'not set')}")
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def _results(
    folder: Path, found: Mapping[str, Any], name: str, *, texts: bool
) -> dict[_Place, Any]:
    """Return the results of one notebook of a run, by place."""
    try:
        return dict(_cells(found[name], texts=texts))
    except (AttributeError, KeyError, TypeError):
        raise _refused(folder, f"a {RESULTS} in which {name} is not as a run writes it") from None


def _cells(results: Mapping[str, Any], *, texts: bool) -> Iterator[tuple[_Place, Any]]:
    """Yield every result of a notebook with its place."""
    for table in results.get("tables", []):
        yield from _table_cells(table, texts=texts)
    for number in results.get("numbers", []):
        for field in ("value", "ci_low", "ci_high", "n_used"):
            if number.get(field) is not None:
                yield ("number", number["id"], field), number[field]
    for i, check in enumerate(results.get("checks", [])):
        name = check["name"] if texts else str(i + 1)
        for field in ("value", "passed"):
            if check.get(field) is not None:
                yield ("check", f"{i + 1} {name}" if texts else name, field), check[field]
    if texts:
        for i, sentence in enumerate(results.get("sentences", []), start=1):
            yield ("sentence", str(i), ""), sentence["text"]


def _table_cells(table: Mapping[str, Any], *, texts: bool) -> Iterator[tuple[_Place, Any]]:
    """Yield the cells of a table; rows are named by the text in front of their numbers."""
    seen: dict[str, int] = {}
    for i, row in enumerate(table["table"]["rows"]):
        name = _row_name(row) if texts else str(i + 1)
        seen[name] = seen.get(name, 0) + 1
        label = name if seen[name] == 1 else f"{name} ({seen[name]})"
        for column, value in row.items():
            if _is_number(value) or (texts and isinstance(value, str | bool)):
                yield (f"table {table['id']}", label, str(column)), value


def _row_name(row: Mapping[str, Any]) -> str:
    """Return the first text cells of a row."""
    words = [str(value) for value in row.values() if isinstance(value, str) and value]
    return ", ".join(words[:_ROW_KEYS]) or "row"


def _told(place: _Place) -> tuple[str, str]:
    """Return a place as words and column."""
    kind, name, column = place
    return f"{kind} [{name}]", column


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(before: object, after: object) -> bool:
    """Compare two results."""
    if _is_number(before) and _is_number(after):
        return math.isclose(before, after, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return before == after


def _shown(value: object) -> str:
    """Return a value for one line of text."""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return text if len(text) <= 90 else text[:87] + "..."


def _read(folder: Path, name: str) -> dict[str, Any]:
    """Read one file of a run."""
    found = read_json(folder / name)
    if "notebooks" not in found:
        raise _refused(folder, f"no {name} of a run")
    notebooks = found["notebooks"]
    if not isinstance(notebooks, dict) or not all(isinstance(v, dict) for v in notebooks.values()):
        raise _refused(folder, f"a {name} that is not as a run writes it")
    return found


def _refused(folder: Path, what: str) -> ReportError:
    """Return the message about a folder that is no run."""
    return ReportError(
        f"study diff: {paths.shown(folder)} holds {what}; the folder of a finished run is needed, "
        "as reports/online_shopping/en. Run `study run` first, or correct the path."
    )
