"""LimeSurvey: the tab-separated survey structure that it imports."""

from __future__ import annotations

import csv
import html
import io
import re

from helpers.survey.questionnaire.instrument import Condition, Instrument, Question

COLUMNS = (
    "id", "related_id", "class", "type/scale", "name", "relevance", "text", "help", "language",
    "validation", "mandatory", "encrypted", "other", "default", "same_default", "same_script",
    "min_num_value_n", "max_num_value_n", "suffix",
)  # fmt: skip
"""Columns of the file; attributes of questions come last."""

_TYPES = {"single": "L", "multiple": "M", "grid": "F", "number": "N", "text": "T"}
_LANGUAGES = {"en": "en", "zh": "zh-Hans"}


def limesurvey_text(instrument: Instrument) -> str:
    """Return the questionnaire as LimeSurvey's tab-separated structure, in one language.

    Answer codes are the codes of the codebook. Consent, screening and branches are carried as
    relevance equations: whoever does not agree sees no further group.

    Notes
    -----
    Written after the manual's chapter "Tab separated value survey structure" (a file ending in
    ``.txt``) for LimeSurvey 3 and later; an import into a running LimeSurvey was not tried here.
    """
    tag = _LANGUAGES[instrument.language]
    rows = [
        {"class": "S", "name": "language", "text": tag},
        {"class": "S", "name": "format", "text": "G"},
        {"class": "S", "name": "anonymized", "text": "Y"},
        {"class": "S", "name": "datestamp", "text": "Y"},
        {"class": "S", "name": "savetimings", "text": "Y"},
        _text("surveyls_title", _shown(instrument.title), tag),
        _text("surveyls_welcometext", _paragraphs(instrument.welcome), tag),
        _text("surveyls_endtext", _paragraphs(instrument.thanks), tag),
    ]
    codes = _names(instrument)
    for number, page in enumerate(instrument.pages, start=1):
        rows.append(_group(instrument, number, page, codes, tag))
        for question in page:
            rows += _question(question, codes, tag)
    if instrument.passed_on:
        rows.append(_hidden_group(len(instrument.pages) + 1, tag))
        rows += [_passed_on(codes[item], tag) for item in instrument.passed_on]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, delimiter="\t", lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def limesurvey_columns(instrument: Instrument) -> dict[str, str]:
    """Return item -> column of the export with question codes as headings."""
    codes = _names(instrument)
    columns = {item: codes[item] for item in instrument.passed_on}
    for question in instrument.questions:
        name = codes[question.name]
        if question.kind == "grid":
            columns |= {row.item: f"{name}[SQ{k:03d}]" for k, row in enumerate(question.rows, 1)}
        else:
            columns[question.name] = name
    return columns


def _names(instrument: Instrument) -> dict[str, str]:
    """Return names that LimeSurvey takes: letters and digits, a letter first, all different."""
    names: dict[str, str] = {}
    for wanted in [*(q.name for q in instrument.questions), *instrument.passed_on]:
        name = re.sub(r"[^A-Za-z0-9]", "", wanted)
        plain = name if name[:1].isalpha() else "Q" + name
        taken = {n.lower() for n in names.values()}
        unique, k = plain, 1
        while unique.lower() in taken:
            k += 1
            unique = f"{plain}x{k}"
        names[wanted] = unique
    return names


def _group(
    instrument: Instrument, number: int, page: tuple[Question, ...], codes: dict[str, str], tag: str
) -> dict[str, str]:
    """Return a group; everything behind a gate depends on it."""
    before = {q.name for p in instrument.pages[: number - 1] for q in p}
    gates = [_equation(gate, codes) for gate in instrument.gates if gate.item in before]
    return {
        "id": str(number), "class": "G", "type/scale": f"G{number}", "name": f"{number}",
        "relevance": " and ".join(gates) or "1", "language": tag,
    }  # fmt: skip


def _question(question: Question, codes: dict[str, str], tag: str) -> list[dict[str, str]]:
    """Return a question with its rows and answers."""
    shown = _equation(question.shown_if, codes) if question.shown_if else "1"
    row = {
        "class": "Q", "type/scale": _TYPES[question.kind], "name": codes[question.name],
        "relevance": shown, "text": _shown(question.text), "language": tag, "mandatory": "N",
        "other": "N", "suffix": _shown(question.unit),
    }  # fmt: skip
    if question.kind == "number":
        row |= {"min_num_value_n": _number(question.low), "max_num_value_n": _number(question.high)}
    rows = [row]
    parts = [(f"SQ{k:03d}", r.text) for k, r in enumerate(question.rows, start=1)]
    if question.kind == "multiple":
        parts = [(f"SQ{choice.code:03d}", choice.text) for choice in question.choices]
    rows += [
        {"class": "SQ", "type/scale": "0", "name": name, "relevance": "1", "text": _shown(text),
         "language": tag}
        for name, text in parts
    ]  # fmt: skip
    if question.kind in ("single", "grid"):
        rows += [
            {"class": "A", "type/scale": "0", "name": str(c.code), "text": _shown(c.text),
             "language": tag}
            for c in question.choices
        ]  # fmt: skip
    return rows


def _hidden_group(number: int, tag: str) -> dict[str, str]:
    """Return the group of what comes with the link; it is never shown."""
    return {
        "id": str(number), "class": "G", "type/scale": f"G{number}", "name": f"{number}",
        "relevance": "0", "language": tag,
    }  # fmt: skip


def _passed_on(name: str, tag: str) -> dict[str, str]:
    """Return a question that the link fills in."""
    return {"class": "Q", "type/scale": "S", "name": name, "relevance": "1", "text": name,
            "language": tag, "mandatory": "N", "other": "N"}  # fmt: skip


def _equation(condition: Condition, codes: dict[str, str]) -> str:
    """Return a condition in LimeSurvey's expressions."""
    name = codes[condition.item]
    parts = [f'{name}.NAOK == "{code}"' for code in condition.codes]
    return "(" + " or ".join(parts) + ")"


def _text(name: str, text: str, tag: str) -> dict[str, str]:
    return {"class": "SL", "name": name, "text": text, "language": tag}


def _paragraphs(texts: tuple[str, ...]) -> str:
    return "".join(f"<p>{_shown(text)}</p>" for text in texts)


def _shown(text: str) -> str:
    """Return text as LimeSurvey shows it, which takes all text for HTML and ``{...}`` for code."""
    return html.escape(text, quote=False).replace("{", "&#123;")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
