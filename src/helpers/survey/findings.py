"""One thing that is wrong, or worth knowing, about a study's files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from helpers.errors import DataContractError, nearest
from helpers.i18n import _, in_language

Severity = Literal["error", "mark", "note"]

_ORDER: dict[Severity, int] = {"error": 0, "mark": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence that is put into words when it is shown, in the language of that moment.

    Attributes
    ----------
    template : str
        English text with named fields.
    fields : dict
        Their values: text, numbers, ``Said``, ``Listed``.
    several : str
        The same said of several items or columns at once, with the further fields ``{k}`` (how
        many) and ``{each}`` (which); ``{n}`` is then the sum. Empty if it is said one by one.
    each : Said or None
        What is said of this one item inside ``several``.
    """

    template: str
    fields: dict[str, object]
    several: str = ""
    each: Said | None = None

    def __str__(self) -> str:
        return _(self.template).format(**self.fields)

    def together(self, template: str, *, each: Said) -> Said:
        """Return the sentence with what is said if several items share it."""
        return replace(self, several=template, each=each)


def said(template: str, **fields: object) -> Said:
    """Return a sentence to be put into words later; the template is a literal of the catalogue."""
    return Said(template, fields)


@dataclass(frozen=True, slots=True)
class Listed:
    """Values that are written as a list when they are shown, cut after ``most``."""

    values: tuple[object, ...]
    most: int = 12
    between: str = "word"

    def __str__(self) -> str:
        sign = _("; ") if self.between == "clause" else _(", ")
        text = sign.join(str(v) for v in self.values[: self.most])
        rest = len(self.values) - self.most
        return _("{items} and {n} more").format(items=text, n=rest) if rest > 0 else text


def listed(values: Iterable[object], *, most: int = 12) -> Listed:
    """Return values to be listed when shown."""
    return Listed(tuple(values), most)


def meant(name: str, allowed: Iterable[str]) -> Said | str:
    """Return `` Did you mean 'x'?`` for the closest allowed name, or an empty text."""
    close = nearest(name, allowed)
    return said(" Did you mean {name}?", name=close[len(" Did you mean ") : -1]) if close else ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a check.

    Attributes
    ----------
    severity : {"error", "mark", "note"}
        ``error`` stops loading; ``mark`` is set missing or marked and counted in the log;
        ``note`` is information.
    at : str or Said
        File, and item or row where it was found.
    said : str or Said
        What was found; what is allowed; what to do next. Text only where an error's own words
        are handed on.
    """

    severity: Severity
    at: str | Said
    said: str | Said

    @property
    def place(self) -> str:
        """Return where it was found, in the current language."""
        return str(self.at)

    @property
    def sentence(self) -> str:
        """Return what was found, in the current language."""
        return str(self.said)


def in_file(place: str, item: str) -> Said:
    """Return the place of an item in a file."""
    return said("{place}, item {item}", place=place, item=item)


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Return errors first, then marks, then notes; otherwise in the order they came in."""
    return sorted(findings, key=lambda f: _ORDER[f.severity])


def joined(findings: Iterable[Finding], *, most: int = 8) -> list[Finding]:
    """Return findings with those of one kind in one file said once, the most frequent item first.

    Parameters
    ----------
    findings : iterable of Finding
        In any order.
    most : int
        Items or columns named; the others are counted.

    Returns
    -------
    list of Finding
        Errors first. One that has no like stays as it is.
    """
    alike: dict[tuple[object, ...], list[Finding]] = {}
    for number, finding in enumerate(findings):
        alike.setdefault(_kind(finding) or (number,), []).append(finding)
    return by_severity(
        group[0] if len(group) == 1 else _one(group, most) for group in alike.values()
    )


def _kind(finding: Finding) -> tuple[object, ...]:
    """Return what findings have in common that can be said at once; empty if nothing."""
    if not (isinstance(finding.said, Said) and finding.said.several):
        return ()
    shared = [
        (name, str(value))
        for name, value in sorted(finding.said.fields.items())
        if name != "n" and f"{{{name}}}" in finding.said.several
    ]
    return (finding.severity, _file(finding), finding.said.several, *shared)


def _file(finding: Finding) -> str:
    """Return the file alone, without the item."""
    return str(finding.at.fields["place"]) if isinstance(finding.at, Said) else finding.at


def _one(group: list[Finding], most: int) -> Finding:
    """Return several findings of a kind as one."""
    ones = sorted((f.said for f in group if isinstance(f.said, Said)), key=_count, reverse=True)
    each = Listed(tuple(one.each for one in ones), most, "clause")
    fields = ones[0].fields | {"n": sum(map(_count, ones)), "k": len(ones), "each": each}
    return Finding(group[0].severity, _file(group[0]), Said(ones[0].several, fields))


def _count(one: Said) -> int:
    """Return how many cells or respondents a sentence is about."""
    n = one.fields.get("n", 0)
    return n if isinstance(n, int) else 0


def findings_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Return findings as a table with columns severity, place, sentence."""
    rows = [(f.severity, f.place, f.sentence) for f in findings]
    return pd.DataFrame(rows, columns=["severity", "place", "sentence"])


def raise_errors(findings: Iterable[Finding], *, where: str) -> None:
    """Raise one ``DataContractError`` that lists every finding of severity ``error``, in English.

    Messages of errors are English throughout, so that they can be searched for.
    """
    with in_language("en"):
        errors = [f"{f.place}: {f.sentence}" for f in findings if f.severity == "error"]
    if len(errors) == 1:
        raise DataContractError(errors[0])
    if errors:
        lines = "\n".join(f"  - {line}" for line in errors)
        raise DataContractError(f"{where}: {len(errors)} faults.\n{lines}")
