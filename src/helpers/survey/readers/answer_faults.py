"""What is said of answers that are not read as they stand: one sentence a kind of fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from helpers.specification import Scale
from helpers.survey.findings import Finding, Said, listed, said


class Read(Protocol):
    """One distinct text of a column, read."""

    text: str
    fault: str


def _allowed(scale: Scale) -> Said | str:
    """Return what a scale allows, for messages."""
    if scale.kind in ("category", "multiple"):
        return said("the codes {codes}", codes=listed(scale.labels))
    low = "-inf" if scale.low is None else f"{scale.low:g}"
    high = "inf" if scale.high is None else f"{scale.high:g}"
    return said("{low} to {high}", low=low, high=high)


class AskedColumn(NamedTuple):
    """What findings say of the column they are about."""

    item: str
    at: Said
    scale: Scale


class _Hits(NamedTuple):
    """The cells of a column that share one fault."""

    texts: list[str]
    n: int
    first: list[int]


def faults_found(
    column: AskedColumn, read: Sequence[Read], where: np.ndarray
) -> tuple[Finding, ...]:
    """Return what is wrong with a column, one finding a kind of fault."""
    findings = []
    for fault, make in _FAULTS.items():
        hit = [i for i, cell in enumerate(read) if cell.fault == fault]
        if hit:
            rows = np.flatnonzero(np.isin(where, hit))
            first = [int(row) + 1 for row in rows[:_FIRST]]
            findings.append(make(column, _Hits([read[i].text for i in hit], len(rows), first)))
    return tuple(findings)


_FIRST = 3
"""Rows named beside a fault, so that it can be looked up in the file."""


def _each(column: AskedColumn, hits: _Hits, *, quoted: bool = False) -> Said:
    """Return what is said of one item where several share a fault: count, texts, first rows."""
    texts = [f"'{t}'" for t in hits.texts] if quoted else sorted(hits.texts)
    return said(
        "{item}: {n} ({texts}; row {rows})",
        item=column.item, n=hits.n, texts=listed(texts, most=4),
        rows=listed([*hits.first, *["..."] * (hits.n > len(hits.first))]),
    )  # fmt: skip


def _unread(column: AskedColumn, hits: _Hits) -> Finding:
    """Return the finding on texts that are neither a number nor a label."""
    shown = listed([f"'{t}'" for t in hits.texts], most=5)
    each = _each(column, hits, quoted=True)
    if column.scale.kind == "number":
        sentence = said(
            "{n} answers are not numbers ({shown}); they are set missing.", n=hits.n, shown=shown
        ).together(
            "{n} answers to {k} items are not numbers; they are set missing. {each}.", each=each
        )
        return Finding("mark", column.at, sentence)
    labels = [b.en for b in column.scale.labels.values()]
    known = listed(labels) if labels else _allowed(column.scale)
    sentence = said(
        "{n} answers are no label of the scale: {shown}; allowed are {known}. Correct the "
        "labels of the scale in study.yml, or export codes.",
        n=hits.n, shown=shown, known=known,
    ).together(
        "{n} answers to {k} items are no label of their scale; allowed are {known}. Correct the "
        "labels of the scale in study.yml, or export codes. {each}.",
        each=each,
    )  # fmt: skip
    return Finding("error", column.at, sentence)


def _comma(column: AskedColumn, hits: _Hits) -> Finding:
    """Return the finding on decimal commas that were not declared."""
    sentence = said(
        "{n} answers are written with a comma ({shown}); the file is declared to have decimal "
        "points. If they are decimals, write `decimal: ','` under data in study.yml.",
        n=hits.n, shown=listed([f"'{t}'" for t in hits.texts], most=5),
    ).together(
        "{n} answers to {k} items are written with a comma; the file is declared to have decimal "
        "points. If they are decimals, write `decimal: ','` under data in study.yml. {each}.",
        each=_each(column, hits, quoted=True),
    )  # fmt: skip
    return Finding("error", column.at, sentence)


def _contradicting(column: AskedColumn, hits: _Hits) -> Finding:
    """Return the finding on cells whose code and label do not belong together."""
    sentence = said(
        "{n} answers name a code and a label that do not belong together: {shown}; the scale "
        "in study.yml gives that label another code. Correct the scale, or export codes only.",
        n=hits.n, shown=listed([f"'{t}'" for t in hits.texts], most=5),
    ).together(
        "{n} answers to {k} items name a code and a label that do not belong together; the scale "
        "in study.yml gives that label another code. Correct the scale, or export codes only. "
        "{each}.",
        each=_each(column, hits, quoted=True),
    )  # fmt: skip
    return Finding("error", column.at, sentence)


def _unknown(column: AskedColumn, hits: _Hits) -> Finding:
    """Return the finding on a code that looks like one for a blank and is not declared."""
    sentence = said(
        "{n} cells hold the code {codes}, which looks like a missing code; the scale allows "
        "{allowed} and items.csv declares no such code. Write it into missing_codes "
        "with its reason (code=reason).",
        n=hits.n, codes=listed(sorted(hits.texts)), allowed=_allowed(column.scale),
    ).together(
        "{n} cells of {k} items hold the code {codes}, which looks like a missing code; their "
        "scale allows {allowed} and items.csv declares no such code for them. Write it into "
        "missing_codes with its reason (code=reason). {each}.",
        each=_each(column, hits),
    )  # fmt: skip
    return Finding("error", column.at, sentence)


def _outside(column: AskedColumn, hits: _Hits) -> Finding:
    """Return the finding on codes that the scale does not have."""
    sentence = said(
        "answers outside the scale: {n} ({codes}); allowed are {allowed}. They are set "
        "missing and counted in the cleaning log.",
        n=hits.n, codes=listed(sorted(hits.texts)), allowed=_allowed(column.scale),
    ).together(
        "{n} answers to {k} items lie outside the scale; allowed are {allowed}. They are set "
        "missing and counted in the cleaning log. {each}.",
        each=_each(column, hits),
    )  # fmt: skip
    return Finding("mark", column.at, sentence)


def _thousands(column: AskedColumn, hits: _Hits) -> Finding:
    """Return the finding on numbers with signs between their thousands."""
    sentence = said(
        "{n} numbers have signs between their thousands ({shown}); they are read so.",
        n=hits.n, shown=listed([f"'{t}'" for t in hits.texts], most=5),
    ).together(
        "{n} numbers of {k} items have signs between their thousands; they are read so. {each}.",
        each=_each(column, hits, quoted=True),
    )  # fmt: skip
    return Finding("note", column.at, sentence)


def _with_unit(column: AskedColumn, hits: _Hits) -> Finding:
    """Return the finding on numbers that were written with their unit."""
    sentence = said(
        "{n} numbers stand beside their unit ({shown}); they are read without it.",
        n=hits.n, shown=listed([f"'{t}'" for t in hits.texts], most=5),
    ).together(
        "{n} numbers of {k} items stand beside their unit; they are read without it. {each}.",
        each=_each(column, hits, quoted=True),
    )  # fmt: skip
    return Finding("note", column.at, sentence)


_FAULTS = {
    "unread": _unread, "comma": _comma, "contradicts": _contradicting,
    "unknown": _unknown, "outside": _outside, "grouped": _thousands, "unit": _with_unit,
}  # fmt: skip
