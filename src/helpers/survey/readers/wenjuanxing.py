"""Wenjuanxing (问卷星) CSV: one header row, option-text form or option-number form."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

from helpers.errors import DataContractError, listing
from helpers.survey.readers import metadata
from helpers.survey.readers.export import Export

SKIPPED = "skipped by the questionnaire"
EMPTY = "not answered"
TOKENS = {"(跳过)": SKIPPED, "(空)": EMPTY, "-3": SKIPPED, "-2": EMPTY}
"""Cells that stand for blanks, in the text form and in the number form."""

_CANONICAL = {
    "序号": "respondent_id",
    "提交答卷时间": "ended_at",
    "所用时间": "duration_s",
    "来源": "channel",
    "来自IP": "address",
}
_NEEDED = ("序号", "提交答卷时间")
_PLATFORM = frozenset({"来源详情", "总分"})
_TYPE_HINT = re.compile(r"\[(单选题|多选题|矩阵.*?题|量表题|填空题|排序题)\]$")


def plain_header(name: str) -> str:
    """Return a header cell without what the platform adds: blanks, full width, type hints."""
    narrow = unicodedata.normalize("NFKC", str(name)).replace("\t", " ")
    return _TYPE_HINT.sub("", re.sub(r"\s+", " ", narrow).strip()).strip()


def read_wenjuanxing(rows: pd.DataFrame, place: str, columns: dict[str, str]) -> Export:
    """Read a Wenjuanxing table of text cells; both forms of the download.

    Only complete answers are listed by the platform, so every row counts as finished. There is
    no start time; the seconds used are the only speed information.
    """
    names = [plain_header(c) for c in rows.iloc[0]]
    metadata.refuse_doubled(names, place)
    missing = [n for n in _NEEDED if n not in names]
    if missing:
        raise DataContractError(
            f"read_source: file= {place} has no column {listing(missing)}; a Wenjuanxing export "
            f"begins with {listing(_CANONICAL)}. Check the key reader, or the encoding."
        )
    body = rows.iloc[1:].reset_index(drop=True)
    body.columns = names
    given = metadata.declared({k: plain_header(v) for k, v in columns.items()}, names, place)
    canonical = {v: k for k, v in _CANONICAL.items() if k in names} | given
    cells = {name: body[column] for name, column in canonical.items()}
    meta, findings = metadata.fill(metadata.empty_metadata(len(body)), cells, place)
    meta["finished"] = True
    used = set(canonical.values()) | set(_NEEDED)
    dropped = {
        c: "direct identifier" if metadata.is_identifier(c) else "platform column"
        for c in names
        if metadata.is_identifier(c) or c in _PLATFORM
    }
    kept = [c for c in names if c not in dropped and c not in used]
    return Export(meta, body[kept], dropped, tuple(findings), TOKENS, "┋")
