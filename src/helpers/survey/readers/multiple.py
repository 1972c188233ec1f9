"""Questions with several answers: one 0/1 column for each choice."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.specification import Scale
from helpers.survey.findings import Finding, Said, in_file, listed, said
from helpers.survey.readers.answers import NOT_ANSWERED, Typed, label_codes, plain

_QUESTION = re.compile(r"^(\d+)\s*[、.]")
_FREE_TEXT = re.compile(r"〖[^〗]*〗?")


def split_columns(column: str, scale: Scale, header: list[str]) -> dict[int, str]:
    """Return code -> column where an export gives each choice its own column.

    Known forms: ``Q6_1``, ``Q6[SQ001]``, ``Q6[1]`` (code), ``question - choice``, and, for the
    question ``6、...``, ``第6题(choice)``.
    """
    number = _QUESTION.match(column)
    found: dict[int, str] = {}
    for code, labels in scale.labels.items():
        wanted = {
            plain(f"{column}{ending}")
            for ending in (f"_{code}", f"[SQ{code:03d}]", f"[{code}]", f"[A{code}]")
        }
        wanted |= {plain(f"{column} - {t}") for t in (labels.en, labels.zh)}
        if number:
            wanted |= {plain(f"第{number.group(1)}题({t})") for t in (labels.en, labels.zh)}
        hit = next((name for name in header if plain(name) in wanted), None)
        if hit is not None:
            found[code] = hit
    return found


def type_split(cells: pd.DataFrame, tokens: Mapping[str, str]) -> Typed:
    """Type choices that lie in columns named by code: anything but blank, 0 or ``false`` is chosen.

    A row in which every cell is blank is missing as a whole: nothing tells "none chosen" from
    "not answered".
    """
    stripped = cells.apply(lambda c: c.str.strip())
    signs = stripped.isin(list(tokens))
    empty = ((stripped == "") | signs).all(axis=1)
    chosen = ~stripped.isin(["", "0", "0.0", "FALSE", "False", "false", "N", "No"]) & ~signs
    values = chosen.astype(float).mask(empty, np.nan)
    first_sign = stripped.where(signs).bfill(axis=1).iloc[:, 0].map(dict(tokens)).astype(object)
    reasons = first_sign.where(first_sign.notna(), NOT_ANSWERED).where(empty, None)
    return Typed(values, reasons, ())


def type_joined(
    cells: pd.Series,
    *,
    item: str,
    scale: Scale,
    tokens: Mapping[str, str],
    separator: str,
    place: str,
) -> Typed:
    """Type choices that are joined in one cell, as codes or as labels.

    Labels may hold the separator, so the longest label that fits is taken first.
    """
    stripped = cells.str.strip()
    blank = (stripped == "") | stripped.isin(list(tokens))
    names = label_codes(scale) | {str(c): c for c in scale.labels}
    parsed = {text: _choices(text, names, separator) for text in stripped[~blank].unique()}
    bad = {t: rest for t, (_, rest) in parsed.items() if rest}
    codes = list(scale.labels)
    rows = [
        [np.nan] * len(codes) if b else [float(c in parsed[t][0]) for c in codes]
        for t, b in zip(stripped, blank)
    ]
    values = pd.DataFrame(rows, index=cells.index, columns=codes, dtype=float)
    named = stripped.map(dict(tokens)).astype(object)
    reasons = named.where(named.notna(), NOT_ANSWERED).where(blank, None)
    return Typed(values, reasons, _fault(bad, scale, in_file(place, item)))


def _choices(text: str, names: Mapping[str, int], separator: str) -> tuple[set[int], str]:
    """Return the codes in one cell, and the first part that is no choice."""
    rest, found = plain(_FREE_TEXT.sub("", text)), set()
    sep = plain(separator)
    by_length = sorted(names, key=len, reverse=True)
    while rest:
        hit = next((n for n in by_length if rest == n or rest.startswith(n + sep)), None)
        if hit is None:
            return found, rest.split(sep)[0] or rest
        found.add(names[hit])
        rest = rest[len(hit) :].removeprefix(sep).strip()
    return found, ""


def _fault(bad: Mapping[str, str], scale: Scale, at: Said) -> tuple[Finding, ...]:
    """Return the finding for choices that the scale does not have."""
    if not bad:
        return ()
    shown = listed([f"'{rest}'" for rest in dict.fromkeys(bad.values())], most=5)
    sentence = said(
        "some answers hold choices that are no label of the scale: {shown}; allowed are {known}. "
        "Correct the labels of the scale in study.yml, or export codes.",
        shown=shown, known=listed(b.en for b in scale.labels.values()),
    )  # fmt: skip
    return (Finding("error", at, sentence),)
