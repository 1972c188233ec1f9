"""Read SPSS and Stata files: codes, question texts, value labels, codes declared missing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import DataContractError
from helpers.survey.findings import Finding, said
from helpers.survey.readers.workbook import cell_text

DECLARED = "declared missing in the file"
_CHINESE = "GB18030"
_HAN = re.compile(r"[\u4e00-\u9fff]")
_HIGH = re.compile(r"[\u0080-\u00ff]")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A table of text cells with what a statistics program stores beside it.

    Attributes
    ----------
    rows : DataFrame
        Text cells under one header row, as ``split_rows`` gives them.
    questions : Mapping[str, str]
        Column -> variable label.
    value_labels, missing_codes : Mapping[str, Mapping[int, str]]
        Column -> code -> label or reason.
    tokens : Mapping[str, str]
        Texts that stand for a blank (Stata's ``.a`` to ``.z``).
    encoding : str
        In which texts were read.
    findings : tuple of Finding
        What was changed on the way.
    ordered : frozenset of str
        Columns whose codes the file declares to be ordered (SPSS measure "ordinal").
    """

    rows: pd.DataFrame
    questions: Mapping[str, str]
    value_labels: Mapping[str, Mapping[int, str]]
    missing_codes: Mapping[str, Mapping[int, str]]
    tokens: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    findings: tuple[Finding, ...] = ()
    ordered: frozenset[str] = frozenset()


def read_spss(path: Path, place: str, *, encoding: str | None = None) -> Labelled:
    """Read a .sav or .zsav file; codes declared missing are kept as codes and listed.

    Without an ``encoding`` that of the file's header is used; where the texts cannot be read in
    it, or come out as Chinese read in a western encoding, GB18030 is tried and the choice is said
    in a finding. Read by pyreadstat. Checked against R haven (``tests/reference/haven.R``).
    """
    import pyreadstat

    frame, meta, said = _read(pyreadstat.read_sav, path, place, encoding)
    _as_dates(frame, meta)
    codes = _declared(meta, frame, place)
    labels = _whole(meta.variable_value_labels)
    reasons = {
        column: {code: labels.get(column, {}).get(code, DECLARED) for code in found}
        for column, found in codes[0].items()
    }
    rows = _text_rows(frame)
    ordered = frozenset(c for c, kind in meta.variable_measure.items() if kind == "ordinal")
    return Labelled(
        rows, _questions(meta), labels, reasons, {}, said[0], (*said[1], *codes[1]), ordered
    )  # fmt: skip


def read_stata(path: Path, place: str, *, encoding: str | None = None) -> Labelled:
    """Read a .dta file; extended missing values become the texts ``.a`` to ``.z``."""
    import pyreadstat

    frame, meta, said = _read(pyreadstat.read_dta, path, place, encoding)
    letters = sorted({v for found in meta.missing_user_values.values() for v in found})
    tokens = {f".{letter}": f"{DECLARED} (.{letter})" for letter in letters}
    for column, found in meta.missing_user_values.items():
        frame[column] = frame[column].map(lambda v, f=tuple(found): f".{v}" if v in f else v)
    labels = _whole(meta.variable_value_labels)
    return Labelled(_text_rows(frame), _questions(meta), labels, {}, tokens, said[0], said[1])


def _read(
    reader: Any, path: Path, place: str, encoding: str | None
) -> tuple[pd.DataFrame, Any, tuple[str, tuple[Finding, ...]]]:
    """Read a file by pyreadstat; return the frame, its metadata, and the encoding with remarks."""
    from pyreadstat import PyreadstatError, ReadstatError

    try:
        try:
            frame, meta = reader(str(path), user_missing=True, encoding=encoding)
        except (ReadstatError, UnicodeDecodeError) as error:
            if encoding is not None or "onvert" not in str(error):
                raise
            frame, meta = reader(str(path), user_missing=True, encoding=_CHINESE)
            return frame, meta, (_CHINESE, (_misdeclared(place),))
        if encoding is None and _garbled(meta, frame):
            frame, meta = reader(str(path), user_missing=True, encoding=_CHINESE)
            return frame, meta, (_CHINESE, (_western(place),))
    except (ReadstatError, PyreadstatError, UnicodeDecodeError, ValueError, OSError) as error:
        raise DataContractError(
            f"read_source: file= {place} cannot be read as SPSS or Stata data ({error}); a whole "
            "file is needed. It was cut off or damaged, or has another encoding: export it again."
        ) from None
    return frame, meta, (encoding or meta.file_encoding or "utf-8", ())


def _as_dates(frame: pd.DataFrame, meta: Any) -> None:
    """Turn months, quarters and weeks, which SPSS keeps as seconds since 1582, into dates.

    As numbers of eleven digits they would pass for numbers of mobile phones.
    """
    for column, form in meta.original_variable_types.items():
        if _PERIOD.match(str(form)) and pd.api.types.is_numeric_dtype(frame[column]):
            days = pd.to_numeric(frame[column]) / _DAY
            frame[column] = [
                (_SPSS_DAY + dt.timedelta(days=float(d))).date() if pd.notna(d) else None
                for d in days
            ]


_PERIOD = re.compile(r"^(MOYR|QYR|WKYR|A?DATE|EDATE|SDATE|JDATE|DATETIME|YMDHMS)\d", re.IGNORECASE)
_SPSS_DAY, _DAY = dt.datetime(1582, 10, 14), 86_400


def _misdeclared(place: str) -> Finding:
    """Return the finding on a file that is not in the encoding it declares."""
    sentence = said(
        "the file declares an encoding it is not in, and its texts are Chinese when read as "
        "{encoding}; they were read so. Look at the labels, and write `encoding: {key}` under "
        "data in study.yml.",
        encoding=_CHINESE, key=_CHINESE.lower(),
    )  # fmt: skip
    return Finding("mark", place, sentence)


def _western(place: str) -> Finding:
    """Return the finding on a Chinese file that declares a western encoding."""
    sentence = said(
        "the file declares a western encoding, and its texts are Chinese when read as "
        "{encoding}; they were read so. Look at the labels, and write `encoding: {key}` under "
        "data in study.yml.",
        encoding=_CHINESE, key=_CHINESE.lower(),
    )  # fmt: skip
    return Finding("mark", place, sentence)


def _garbled(meta: Any, frame: pd.DataFrame) -> bool:
    """Tell whether labels look like Chinese read in a western encoding."""
    labels = [t for t in meta.column_labels if t]
    labels += [t for found in meta.variable_value_labels.values() for t in found.values()]
    text = "".join(map(str, labels))
    if len(_HIGH.findall(text)) < _FEW or _HAN.search(text):
        return False
    try:
        again = text.encode("cp1252").decode("gb18030")
    except UnicodeError:
        return False
    return len(_HAN.findall(again)) * 2 >= len(_HIGH.findall(text)) * _MOST


_FEW, _MOST = 4, 0.8
"""Signs from which a guess is made, and the share of them that must turn into Chinese."""


def _questions(meta: Any) -> dict[str, str]:
    pairs = zip(meta.column_names, meta.column_labels, strict=True)
    return {name: label.strip() for name, label in pairs if label and label.strip()}


def _whole(labels: Mapping[str, Mapping[Any, str]]) -> dict[str, dict[int, str]]:
    """Return the labels of whole-number codes."""
    found = {
        column: {int(c): str(t).strip() for c, t in pairs.items()
                 if isinstance(c, int | float) and float(c).is_integer()}
        for column, pairs in labels.items()
    }  # fmt: skip
    return {column: pairs for column, pairs in found.items() if pairs}


def _declared(
    meta: Any, frame: pd.DataFrame, place: str
) -> tuple[dict[str, list[int]], list[Finding]]:
    """Return the codes declared missing that stand in the data or are named one by one."""
    found, findings = {}, []
    for column, ranges in meta.missing_ranges.items():
        values = pd.unique(frame[column].dropna())
        hits = {v for v in values for r in ranges if _within(v, r)}
        hits |= {r["lo"] for r in ranges if r["lo"] == r["hi"]}
        numbers = {v for v in hits if isinstance(v, int | float) and float(v).is_integer()}
        if numbers:
            found[column] = sorted(int(v) for v in numbers)
        texts = hits - numbers
        if texts:
            n = int(frame[column].isin(texts).sum())
            frame[column] = frame[column].mask(frame[column].isin(texts), "")
            sentence = said(
                "column '{column}': {n} cells hold texts the file declares missing; blank.",
                column=column, n=n,
            )  # fmt: skip
            findings.append(Finding("mark", place, sentence))
    return found, findings


def _within(value: Any, limits: Mapping[str, Any]) -> bool:
    """Tell whether a value lies in a range declared missing."""
    same = isinstance(value, str) == isinstance(limits["lo"], str)
    return same and limits["lo"] <= value <= limits["hi"]


def _text_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a typed table as text cells under one header row."""
    columns = {}
    for i, name in enumerate(frame.columns):
        codes, values = pd.factorize(frame[name])
        texts = ["", str(name), *(_text(v) for v in values)]
        at = np.concatenate([[1], np.where(codes < 0, 0, codes + 2)])
        distinct = list(dict.fromkeys(texts))
        number = {t: k for k, t in enumerate(distinct)}
        where = np.array([number[t] for t in texts])
        columns[i] = pd.Categorical.from_codes(
            where[at], categories=pd.Index(distinct, dtype="str")
        )
    return pd.DataFrame(columns)


def _text(value: object) -> str:
    """Return one typed value as text; padding of strings is cut."""
    if isinstance(value, np.generic):
        value = value.item() if not isinstance(value, np.datetime64) else pd.Timestamp(value)
    if isinstance(value, pd.Timestamp | dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return value.strip() if isinstance(value, str) else cell_text(value)
