"""Wenjuanxing (问卷星): one header row, option-text form, option-number form or score form."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

from helpers.errors import DataContractError, listing
from helpers.survey.readers.assemble import (
    Taken,
    assemble,
    header_row,
    under_header,
    unique_names,
)
from helpers.survey.readers.export import Export
from helpers.survey.readers.layout import Layout

SKIPPED = "skipped by the questionnaire"
EMPTY = "not answered"
TOKENS = {
    "(跳过)": SKIPPED, "（跳过）": SKIPPED, "(空)": EMPTY, "（空）": EMPTY,
    "-3": SKIPPED, "-2": EMPTY,
}  # fmt: skip
"""Cells that stand for blanks, in the text form and in the number form."""

CANONICAL = {
    "序号": "respondent_id",
    "提交答卷时间": "ended_at",
    "所用时间": "duration_s",
    "来源": "channel",
    "来自IP": "address",
}
NEEDED = ("序号", "提交答卷时间")
_PLATFORM = frozenset({"来源详情", "总分", *NEEDED})
_TYPE_HINT = re.compile(r"\[(单选题|多选题|矩阵.*?题|量表题|填空题|排序题)\]$")
_STEM = re.compile(r"^(\d+[、.].*?)(?:—|――|--)(\d+[.、].*)$")
_ROW = re.compile(r"^\d+[.、]")


def plain_header(name: str) -> str:
    """Return a header cell without what the platform adds: blanks, full width, type hints."""
    narrow = unicodedata.normalize("NFKC", str(name)).replace("\t", " ")
    return _TYPE_HINT.sub("", re.sub(r"\s+", " ", narrow).strip()).strip()


def read_wenjuanxing(rows: pd.DataFrame, place: str, layout: Layout) -> Export:
    """Read a Wenjuanxing table of text cells; all forms of the download.

    Only complete answers are listed by the platform, so every row counts as finished. There is
    no start time; the seconds used are the only speed information. The rows of a matrix after its
    first do not name their question; where two matrices share a row's text, the second is called
    ``TEXT (2)``.
    """
    plain = [plain_header(c) for c in header_row(rows, 0)]
    names, findings = unique_names(plain, place)
    missing = [n for n in NEEDED if n not in names]
    if missing:
        raise DataContractError(
            f"read_source: file= {place} has no column {listing(missing)}; a Wenjuanxing export "
            f"begins with {listing(CANONICAL)}. Check the key reader, or the encoding."
        )
    body, headers, more = under_header(rows, 1, names, place)
    declared = {k: plain_header(v) for k, v in layout.columns.items()}
    canonical = {v: k for k, v in CANONICAL.items() if k in names} | declared
    questions = full_questions(names, plain)
    taken = Taken(names, headers, body, canonical, questions, (*findings, *more))
    return assemble(
        taken, layout, place, platform=lambda c: c in _PLATFORM, tokens=TOKENS,
        separator="┋", finished=True,
    )  # fmt: skip


def full_questions(names: list[str], plain: list[str]) -> dict[str, str]:
    """Return each column's question; rows of a matrix with the matrix's own text in front."""
    questions, stem = {}, ""
    for name, text in zip(names, plain, strict=True):
        start = _STEM.match(text)
        if start:
            stem = start[1]
            questions[name] = f"{stem} - {start[2]}"
        elif stem and _ROW.match(text) and "、" not in text[:4]:
            questions[name] = f"{stem} - {text}"
        else:
            stem = ""
            questions[name] = text
    return questions
