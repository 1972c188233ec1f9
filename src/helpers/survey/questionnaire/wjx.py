"""Wenjuanxing (问卷星): the text that its import of whole questionnaires reads."""

from __future__ import annotations

from dataclasses import replace

from helpers.survey.questionnaire.instrument import Instrument, Question

_KINDS = {
    "single": "单选题", "multiple": "多选题", "grid": "矩阵量表题",
    "number": "填空题", "text": "填空题",
}  # fmt: skip


def wjx_text(instrument: Instrument) -> str:
    """Return the questionnaire as text with the types of questions in brackets.

    First line the title, then the statement on privacy, then numbered questions. In a grid the
    labels stand in one line, kept apart by blanks; where a label itself holds a blank (as English
    ones do), the rows become questions of their own.

    Notes
    -----
    Wenjuanxing numbers answers by position: ask for the download by option text (按文本), which
    the labels of the codebook read. Branches are set by hand (题目关联, 跳题逻辑). Written after
    the syntax of the platform's own editor and its published client; an import into a running
    account was not tried here.
    """
    parts = [instrument.title, "\n".join(instrument.welcome)]
    for number, question in enumerate(wjx_questions(instrument), start=1):
        parts.append(_question(number, question))
    return "\n\n".join(parts) + "\n"


def wjx_columns(instrument: Instrument) -> dict[str, str]:
    """Return item -> column of the export by option text."""
    columns = {}
    for number, question in enumerate(wjx_questions(instrument), start=1):
        if question.kind == "grid":
            first, *others = question.rows
            columns[first.item] = f"{number}、{question.text}—1.{first.text}"
            columns |= {row.item: f"{k}.{row.text}" for k, row in enumerate(others, start=2)}
        else:
            columns[question.name] = f"{number}、{_asked(question)}"
    return columns


def wjx_questions(instrument: Instrument) -> list[Question]:
    """Return the questions as this platform can take them: grids only with labels of one word."""
    questions = []
    for question in instrument.questions:
        if question.kind == "grid" and any(" " in choice.text for choice in question.choices):
            questions += [
                replace(question, name=row.item, kind="single", text=row.text, rows=())
                for row in question.rows
            ]
        else:
            questions.append(question)
    return questions


def _question(number: int, question: Question) -> str:
    """Return one question."""
    lines = [f"{number}. {_asked(question)}[{_KINDS[question.kind]}]"]
    if question.kind == "grid":
        lines.append(" ".join(choice.text for choice in question.choices))
        lines += [row.text for row in question.rows]
    else:
        lines += [choice.text for choice in question.choices]
    return "\n".join(lines)


def _asked(question: Question) -> str:
    """Return the text of a question in one line, with the unit of a number."""
    text = " ".join(question.text.split())
    return f"{text}（{question.unit}）" if question.unit else text
