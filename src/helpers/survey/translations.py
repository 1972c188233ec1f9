"""Texts of a study that stand in one language only, as ``study check`` lists them."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from helpers.specification import Bilingual
from helpers.study import StudyFolder
from helpers.survey.findings import Finding, in_file, said

_LANGUAGES = {"en": said("English"), "zh": said("Chinese")}
_HAN = ("\u4e00", "\u9fff")


def untranslated(folder: StudyFolder) -> list[Finding]:
    """Return a note for each wording and each text of the study file that lacks a language.

    A wording that stands in both columns alike, letters and all, was copied, not translated.
    """
    findings = []
    for row in folder.items.itertuples():
        if lacks := _lacking(row.wording_en, row.wording_zh):
            findings.append(_wording(row.item, lacks))
    for key, text in _texts(folder.spec, ""):
        if text.lacks:
            findings.append(_text(key, text.lacks))
    return findings


def _lacking(en: str, zh: str) -> str:
    """Return the language in which a wording is missing, or an empty text."""
    if en and zh:
        copied = en == zh and any(sign.isalpha() for sign in en)
        chinese = any(_HAN[0] <= sign <= _HAN[1] for sign in en)
        return ("en" if chinese else "zh") if copied else ""
    return "zh" if en else "en" if zh else ""


def _texts(value: object, key: str) -> Iterator[tuple[str, Bilingual]]:
    """Yield every text of the study file in two languages, with its key."""
    if isinstance(value, Bilingual):
        yield key, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _texts(getattr(value, name), f"{key}.{name}" if key else name)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _texts(part, f"{key}.{name}")
    elif isinstance(value, list | tuple):
        for place, part in enumerate(value):
            name = getattr(part, "code", None) or getattr(part, "id", None) or place
            yield from _texts(part, f"{key}.{name}")


def _wording(item: str, lacks: str) -> Finding:
    """Return the note on one item."""
    sentence = said(
        "there is no wording in {language}; pages in that language show the other one. Write "
        "wording_{column} in items.csv.",
        language=_LANGUAGES[lacks], column=lacks,
    ).together(
        "{k} items have no wording in {language}; pages in that language show the other one. "
        "Write wording_{column} in items.csv. Items: {each}.",
        each=said("{item}", item=item),
    )  # fmt: skip
    return Finding("note", in_file("items.csv", item), sentence)


def _text(key: str, lacks: str) -> Finding:
    """Return the note on one text of the study file."""
    sentence = said(
        "{key} has no text in {language}; pages in that language show the other one. Write it "
        "under {column}.",
        key=key, language=_LANGUAGES[lacks], column=lacks,
    ).together(
        "{k} texts of study.yml stand in one language only; pages in {language} show the other "
        "one. Write them under {column}: {each}.",
        each=said("{item}", item=key),
    )  # fmt: skip
    return Finding("note", "study.yml", sentence)
