"""The columns every reader delivers, and the turning of a platform's cells into them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.errors import CodebookError, DataContractError, listing, nearest
from helpers.survey.findings import Finding

META = (
    "respondent_id", "started_at", "ended_at", "duration_s", "finished", "progress",
    "preview", "language", "channel", "address",
)  # fmt: skip
"""Canonical metadata columns. ``address`` is a running number of the network address, given in
order of first appearance: enough to see that two rows share one, and nothing can be computed back
from it (a salted hash of the few billion addresses could be, by anyone who has the salt)."""

IDENTIFIERS = frozenset({
    "ipaddress", "ip address", "recipientlastname", "recipientfirstname", "recipientemail",
    "externalreference", "externaldatareference", "locationlatitude", "locationlongitude",
    "locationaccuracy", "email", "emailaddress", "email address", "e-mail", "name", "first name",
    "last name", "phone number", "telephone", "用户id", "微信昵称", "用户昵称", "来源详情",
    "来自ip", "姓名", "手机号", "电话", "邮箱",
})  # fmt: skip
"""Columns that name a person; dropped at reading, whatever the codebook says."""

_CLOCK = re.compile(r"^(?:(\d+):)?(\d{1,2}):(\d{2})$")
_UNITS = re.compile(
    r"^(?:(\d+)\s*(?:小时|时|h))?\s*(?:(\d+)\s*(?:分钟|分|min|m))?\s*(?:(\d+(?:\.\d+)?)\s*(?:秒|s)?)?$"
)
_TRUE = frozenset({"true", "1", "1.0", "yes", "是"})
_FALSE = frozenset({"false", "0", "0.0", "no", "否"})


def is_identifier(column: str) -> bool:
    """Tell whether a column name is one of a direct identifier."""
    return column.strip().lower() in IDENTIFIERS


def refuse_doubled(names: list[str], place: str) -> None:
    """Raise if two columns share a name, since answers could not be told apart."""
    doubled = sorted({n for n in names if names.count(n) > 1})
    if doubled:
        raise DataContractError(
            f"read_source: file= {place} has columns of the same name: {listing(doubled)}; names "
            "must differ. Rename the questions on the platform and export again."
        )


def empty_metadata(n: int) -> pd.DataFrame:
    """Return the metadata table with nothing known; identifiers run from 1."""
    meta = pd.DataFrame(index=range(n))
    meta["respondent_id"] = pd.Series([str(i + 1) for i in range(n)], dtype="str")
    for column in ("started_at", "ended_at"):
        meta[column] = pd.Series(pd.NaT, index=meta.index, dtype="datetime64[ns]")
    meta["duration_s"] = np.nan
    meta["finished"] = pd.Series(pd.NA, index=meta.index, dtype="boolean")
    meta["progress"] = np.nan
    meta["preview"] = pd.Series(pd.NA, index=meta.index, dtype="boolean")
    for column in ("language", "channel"):
        meta[column] = pd.Series(None, index=meta.index, dtype="str")
    meta["address"] = pd.Series(pd.NA, index=meta.index, dtype="Int64")
    return meta[list(META)]


def fill(
    meta: pd.DataFrame, cells: Mapping[str, pd.Series], place: str
) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the metadata with the given text columns parsed into their canonical form.

    Cells that hold something but cannot be read become missing and are counted in a finding.
    """
    parsers = {
        "respondent_id": _text, "language": _text, "channel": _text,
        "started_at": parse_times, "ended_at": parse_times,
        "duration_s": parse_seconds, "progress": _number,
        "finished": parse_truth, "preview": parse_truth, "address": number_addresses,
    }  # fmt: skip
    out, findings = meta.copy(), []
    for name, values in cells.items():
        plain = values.reset_index(drop=True)
        out[name] = parsers[name](plain)
        lost = out[name].isna() & (plain.str.strip() != "")
        if lost.any():
            findings.append(
                Finding(
                    "mark",
                    f"{place}, {name}",
                    f"{int(lost.sum())} cells cannot be read (first: '{plain[lost].iloc[0]}'); "
                    "they count as unknown. Check the export's format.",
                )
            )
    return out, findings


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
    plain = values.str.replace(r"[(（].*$", "", regex=True).str.strip()
    codes, _ = pd.factorize(plain.mask(plain == ""))
    numbered = pd.Series(codes + 1, index=values.index, dtype="Int64")
    return numbered.mask(codes < 0)


def parse_seconds(values: pd.Series) -> pd.Series:
    """Return durations in seconds from ``372``, ``372秒``, ``6分12秒``, ``00:06:12``."""
    return values.map(_seconds).astype(float)


def _seconds(cell: str) -> float:
    """Return one duration in seconds, or NaN."""
    text = str(cell).strip()
    clock = _CLOCK.match(text)
    units = clock or _UNITS.match(text)
    if not text or units is None:
        return np.nan
    hours, minutes, seconds = units.groups()
    return 3600.0 * float(hours or 0) + 60.0 * float(minutes or 0) + float(seconds or 0)


def parse_times(values: pd.Series) -> pd.Series:
    """Return times from year-first text (``2026-03-02 09:14:55``, ``2026/3/2 9:14:55``)."""
    plain = values.str.strip().str.replace("/", "-", regex=False)
    padded = plain.str.replace(r"(?<=[-\s])(\d)(?=[-:\s])", r"0\1", regex=True)
    return pd.to_datetime(padded, format="%Y-%m-%d %H:%M:%S", errors="coerce")


def parse_truth(values: pd.Series) -> pd.Series:
    """Return true, false or unknown from ``TRUE``/``1``/``yes`` and their opposites."""
    low = values.str.strip().str.lower()
    out = pd.Series(pd.NA, index=values.index, dtype="boolean")
    out[low.isin(_TRUE)] = True
    out[low.isin(_FALSE)] = False
    return out


def _text(values: pd.Series) -> pd.Series:
    stripped = values.str.strip()
    return stripped.mask(stripped == "")


def _number(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values.str.strip(), errors="coerce").astype(float)
