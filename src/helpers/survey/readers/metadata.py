"""The columns every reader delivers, and the turning of a platform's cells into them."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from helpers.errors import CodebookError, DataContractError, listing, nearest
from helpers.survey import identifiers
from helpers.survey.findings import Finding, listed, said

META = (
    "respondent_id", "started_at", "ended_at", "duration_s", "finished", "progress",
    "preview", "language", "channel", "address", "page_seconds",
)  # fmt: skip
"""Canonical metadata columns. ``address`` is a running number of the network address, given in
order of first appearance: enough to see that two rows share one, and nothing can be computed back
from it (a salted hash of the few billion addresses could be, by anyone who has the salt).
``page_seconds`` are the seconds on the pages that the platform timed, summed."""

_CLOCK = re.compile(r"^(?:(\d+):)?(\d{1,2}):(\d{2})$")
_UNITS = re.compile(
    r"^(?:(\d+)\s*(?:小时|时|h))?\s*(?:(\d+)\s*(?:分钟|分|min|m))?\s*(?:(\d+(?:\.\d+)?)\s*(?:秒|s)?)?$"
)
_A_NUMBER = re.compile(r"^[+-]?\d+([.,]\d+)?$")
_MAYBE_TURNED = (
    " If every column is a respondent, the table is turned: transpose it (Paste Special in a "
    "spreadsheet)."
)
_TRUE = frozenset({"true", "1", "1.0", "yes", "是"})
_FALSE = frozenset({"false", "0", "0.0", "no", "否"})


def is_identifier(column: str) -> bool:
    """Tell whether a column name is one of a direct identifier."""
    return identifiers.by_name(column)


def refuse_headerless(names: list[str], place: str) -> None:
    """Raise if the first row holds answers rather than names."""
    named = [n for n in names if n]
    numbers = [n for n in named if _A_NUMBER.match(n.strip())]
    if named and 2 * len(numbers) > len(named):
        raise DataContractError(
            f"read_source: file= {place} has numbers in its first row "
            f"({listing(numbers, most=5)}); names of columns are needed there. "
            "The header row is missing: export it again."
            + ("" if named[0] in numbers else _MAYBE_TURNED)
        )


def refuse_doubled(names: list[str], place: str) -> None:
    """Raise if two columns share a name, since answers could not be told apart."""
    doubled = sorted({n for n in names if names.count(n) > 1})
    if doubled:
        raise DataContractError(
            f"read_source: file= {place} has columns of the same name: {listing(doubled)}; names "
            "must differ. Rename the questions on the platform and export again."
        )


def empty_metadata(n: int, *, numbered: bool = True) -> pd.DataFrame:
    """Return the metadata table with nothing known; identifiers run from 1, unless they follow."""
    columns = {name: pd.Series(unknown, range(n), kind) for name, (unknown, kind) in _EMPTY.items()}
    if numbered:
        columns["respondent_id"] = pd.Series([str(i + 1) for i in range(n)], dtype="str")
    return pd.DataFrame(columns, columns=list(META), copy=False)


_EMPTY = dict.fromkeys(META, (np.nan, "float64")) | {
    **dict.fromkeys(("respondent_id", "language", "channel"), (None, "str")),
    **dict.fromkeys(("started_at", "ended_at"), (pd.NaT, "datetime64[ns]")),
    **dict.fromkeys(("finished", "preview"), (pd.NA, "boolean")),
    "address": (pd.NA, "Int64"),
}  # fmt: skip
"""Metadata name -> what stands for unknown, and the kind of the column."""


def fill(
    meta: pd.DataFrame, cells: Mapping[str, pd.Series], place: str, *, dates: str = "year-first"
) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the metadata with the given text columns parsed into their canonical form.

    Cells that hold something but cannot be read become missing and are counted in a finding.
    """
    parsers = {
        "respondent_id": _text, "language": _text, "channel": _text,
        "started_at": partial(parse_times, order=dates),
        "ended_at": partial(parse_times, order=dates),
        "duration_s": parse_seconds, "page_seconds": parse_seconds, "progress": _number,
        "finished": parse_truth, "preview": parse_truth, "address": number_addresses,
    }  # fmt: skip
    out, findings = meta.copy(), []
    for name, values in cells.items():
        where, texts = _dictionary(values)
        parsed = parsers[name](texts)
        out[name] = parsed.array[where]
        if name in ("started_at", "ended_at"):
            findings += times_found(texts, f"{place}, {name}")
        lost = parsed.isna().to_numpy(copy=True)
        lost[lost] = [bool(text.strip()) for text in texts[lost].tolist()]
        if lost.any():
            n = int(lost[where].sum())
            findings.append(
                Finding(
                    "mark",
                    f"{place}, {name}",
                    said(
                        "{n} cells cannot be read (first: '{first}'); they count as unknown. "
                        "Check the export's format.",
                        n=n, first=texts[lost].iloc[0],
                    ),
                )
            )  # fmt: skip
    return out, findings


def _dictionary(values: pd.Series) -> tuple[np.ndarray | slice, pd.Series]:
    """Return for each cell the place of its text, and the texts.

    A column that was not kept as a dictionary has few texts that stand twice: it is its own.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        array = values.array.remove_unused_categories()  # the header's texts
        return array.codes, pd.Series(array.categories, dtype="str")
    texts = [text if isinstance(text, str) else "" for text in values.tolist()]
    return slice(None), pd.Series(texts, dtype="str")


def declared(columns: Mapping[str, str], header: list[str], place: str) -> dict[str, str]:
    """Return the study file's own canonical -> column map, after checking both sides."""
    for canonical, column in columns.items():
        if canonical not in META:
            raise CodebookError(
                f"study.yml, key columns of {place}: '{canonical}' is not a metadata name; allowed "
                f"are {listing(META)}.{nearest(canonical, META)}"
            )
        if column not in header:
            raise CodebookError(
                f"study.yml, key columns of {place}: column '{column}' is not in the file; it has "
                f"{listing(header)}.{nearest(column, header)}"
            )
    return dict(columns)


def number_addresses(values: pd.Series) -> pd.Series:
    """Return network addresses as running numbers; a place name in brackets is cut first."""
    cut = (text.partition("(")[0].partition("（")[0] for text in values.tolist())
    plain = [text.strip() or None for text in cut]
    codes, _ = pd.factorize(np.array(plain, dtype=object))
    return pd.Series(pd.arrays.IntegerArray(codes + 1, codes < 0), index=values.index)


def parse_seconds(values: pd.Series) -> pd.Series:
    """Return durations in seconds from ``372``, ``372秒``, ``6分12秒``, ``00:06:12``."""
    found = {text: _seconds(text) for text in set(values.tolist())}
    return pd.Series([found[text] for text in values.tolist()], index=values.index, dtype=float)


def seconds_on_pages(pages: pd.DataFrame) -> pd.Series:
    """Return the seconds over all timed pages; missing where no page was timed."""
    seconds = pages.apply(lambda cells: parse_seconds(cells.astype("str")))
    return seconds.sum(axis=1, min_count=1)


def _seconds(cell: str) -> float:
    """Return one duration in seconds, or NaN."""
    text = unicodedata.normalize("NFKC", str(cell)).strip()
    clock = _CLOCK.match(text)
    units = clock or _UNITS.match(text)
    if not text or units is None:
        return np.nan
    hours, minutes, seconds = units.groups()
    return 3600.0 * float(hours or 0) + 60.0 * float(minutes or 0) + float(seconds or 0)


def parse_times(values: pd.Series, *, order: str = "year-first") -> pd.Series:
    """Return times from text in the forms that platforms write.

    ``2026-03-02 09:14:55``, ``2026/3/2 9:14``, ``2026-03-02T09:14:55Z``, ``2026年3月2日 9:14``,
    ``02.03.2026 09:14``, ``03/02/2026 09:14:55 AM GMT+8``. A zone is passed over: times stand as
    written. Where day and month could be either, ``order`` decides (``day-first``,
    ``month-first``); with ``year-first`` such a cell is not read. Numbers such as ``46083.38`` are
    a spreadsheet's count of days.
    """
    plain = pd.Series([str(text).strip() for text in values.tolist()], values.index, "str")
    out = pd.to_datetime(plain, format="%Y-%m-%d %H:%M:%S", errors="coerce").astype(_TIME_KIND)
    rest = plain[out.isna() & (plain != "")]
    if len(rest):
        found = {text: _time(text, order) for text in rest.unique()}
        out = out.copy()
        out[rest.index] = pd.to_datetime(rest.map(found)).astype(_TIME_KIND)
    return out


_TIME_KIND = "datetime64[us]"
_SERIAL = re.compile(r"^[3-6]\d{4}(?:\.\d+)?$")
_SHEET_DAY = dt.datetime(1899, 12, 30)
_ZONE = re.compile(
    r"[\d.](?:\s*[AP]M)?\s*(Z|(?:GMT|UTC)?\s*[+-]\d{1,2}(?::?\d{2})?|(?!AM|PM)[A-Z]{2,5})$"
)
_LONGEST_SERIAL, _SHORTEST_ZONED = 16, 17


def times_found(texts: pd.Series, at: str) -> list[Finding]:
    """Return findings on times that are not written as times, or stand in several zones."""
    written = [text.strip() for text in texts.tolist()]
    days = [t for t in written if len(t) <= _LONGEST_SERIAL and _SERIAL.match(t)]
    hits = (_ZONE.search(text) for text in written if len(text) >= _SHORTEST_ZONED)
    zones = sorted({hit[1] for hit in hits if hit})
    findings = []
    if days:
        sentence = said(
            "times stand as a spreadsheet's count of days (first: {first}); they are read so, day "
            "1 being 31 December 1899. Compare one with the platform.",
            first=days[0],
        )  # fmt: skip
        findings.append(Finding("mark", at, sentence))
    if len(zones) > 1:
        sentence = said(
            "times stand in {n} zones ({zones}); each is read as written, so that those of "
            "different zones do not compare. Export them in one zone.",
            n=len(zones), zones=listed(zones, most=5),
        )  # fmt: skip
        findings.append(Finding("mark", at, sentence))
    return findings


_POINTS = re.compile(r"^\d{1,2}\.\s*\d{1,2}\.\s*\d{2,4}\b")
"""Dates kept apart by points: nobody writes the month first in them."""

_TIME = re.compile(
    r"^(\d{1,4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,4})日?"
    r"(?:[T\s]+(上午|下午|AM|PM)?\s*(\d{1,2})[:：](\d{2})(?:[:：](\d{2})(?:\.\d+)?)?"
    r"\s*(AM|PM|上午|下午)?)?\s*(?:Z|(?:GMT|UTC)?\s*(?:[+-]\d{1,2}(?::?\d{2})?)?)"
    r"(?:\s*[A-Z]{2,5})?$",
    re.IGNORECASE,
)


def _time(text: str, order: str) -> dt.datetime | None:
    """Return one time, or None if it cannot be read for certain."""
    if _SERIAL.match(text):
        return _SHEET_DAY + dt.timedelta(seconds=round(float(text) * 86_400))
    found = _TIME.match(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        return None
    first, second, third, before, hour, minute, seconds, after = found.groups()
    date = _date(first, int(second), third, order)
    half = (before or after or "").upper()
    hours = int(hour or 0)
    if half:
        hours = hours % 12 + (12 if half in ("PM", "下午") else 0)
    try:
        return dt.datetime(*date, hours, int(minute or 0), int(seconds or 0)) if date else None
    except ValueError:
        return None


def _date(first: str, second: int, third: str, order: str) -> tuple[int, int, int] | None:
    """Return year, month, day of the three numbers of a date."""
    if len(first) == 4:
        return int(first), second, int(third)
    if len(third) not in (2, 4) or len(first) > 2:
        return None
    year, one = int(third) + (0 if len(third) == 4 else 2000), int(first)
    if one > 12 or (order == "day-first" and second <= 12):
        return year, second, one
    if second > 12 or order == "month-first":
        return year, one, second
    return None


def date_orders(values: pd.Series) -> dict[str, int]:
    """Count the distinct dates by what order they can only have.

    Returns
    -------
    dict
        ``year-first``, ``day-first``, ``month-first``, ``either`` (day and month both below 13 and
        the year last), ``unread``.
    """
    counts = dict.fromkeys(("year-first", "day-first", "month-first", "either", "unread"), 0)
    for text in values.unique():
        found = _TIME.match(unicodedata.normalize("NFKC", str(text)).strip())
        if not str(text).strip():
            continue
        if found is None:
            counts["unread"] += 1
        elif len(found[1]) == 4:
            counts["year-first"] += 1
        elif int(found[1]) > 12 or _POINTS.match(str(text).strip()):
            counts["day-first"] += 1
        elif int(found[2]) > 12:
            counts["month-first"] += 1
        else:
            counts["either"] += 1
    return counts


def parse_truth(values: pd.Series) -> pd.Series:
    """Return true, false or unknown from ``TRUE``/``1``/``yes`` and their opposites."""
    found = {text: _truth(text.strip().lower()) for text in set(values.tolist())}
    return pd.Series([found[t] for t in values.tolist()], index=values.index, dtype="boolean")


def _truth(word: str) -> bool | None:
    return True if word in _TRUE else False if word in _FALSE else None


def _text(values: pd.Series) -> pd.Series:
    stripped = [text.strip() or None for text in values.tolist()]
    return pd.Series(stripped, index=values.index, dtype="str")


def _number(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values.str.strip(), errors="coerce").astype(float)
