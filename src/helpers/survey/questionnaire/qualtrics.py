"""Qualtrics: the text file that "Import survey" reads (Advanced Format TXT)."""

from __future__ import annotations

import html

from helpers.survey.questionnaire.instrument import Instrument, Question

_KINDS = {
    "single": "MC:SingleAnswer:Vertical",
    "multiple": "MC:MultipleAnswer:Vertical",
    "grid": "Matrix:SingleAnswer",
    "number": "TE:SingleLine",
    "text": "TE:Essay",
}


def qualtrics_text(instrument: Instrument) -> str:
    """Return the questionnaire as Advanced Format TXT.

    Each choice carries its code (``[[Choice:7]]``, ``[[Answer:7]]``), so that the numeric export
    holds the codes of the codebook. Grids get an id of their own; their columns are ``GRID1_1``,
    ``GRID1_2``, ... (``qualtrics_columns``).

    Notes
    -----
    The format holds no logic: consent, screening and branches are set by hand
    (``steps.steps_by_hand``), and limits of numbers too. Written after Qualtrics' help page on
    importing surveys and the files that published packages write; an import into Qualtrics itself
    was not tried, since that needs an account.
    """
    parts = ["[[AdvancedFormat]]"]
    parts += [f"[[ED:{item}]]" for item in instrument.passed_on]
    parts += ["[[Block:Welcome]]", _statement("welcome", instrument.welcome)]
    for number, page in enumerate(instrument.pages, start=1):
        parts.append(f"[[Block:Page {number}]]")
        parts += [_question(question) for question in page]
    parts += ["[[Block:End]]", _statement("thanks", instrument.thanks)]
    return "\n\n".join(parts) + "\n"


def qualtrics_columns(instrument: Instrument) -> dict[str, str]:
    """Return item -> column of the export."""
    columns = {item: item for item in instrument.passed_on}
    for question in instrument.questions:
        if question.kind == "grid":
            columns |= {row.item: f"{question.name}_{k}" for k, row in enumerate(question.rows, 1)}
        else:
            columns[question.name] = question.name
    return columns


def _statement(name: str, paragraphs: tuple[str, ...]) -> str:
    """Return a page of text."""
    return "\n".join(
        ["[[Question:DB]]", f"[[ID:{name}]]", "<br><br>".join(map(_shown, paragraphs))]
    )


def _question(question: Question) -> str:
    """Return one question."""
    lines = [f"[[Question:{_KINDS[question.kind]}]]", f"[[ID:{question.name}]]"]
    lines.append(_shown(question.text))
    if question.kind == "number" and question.unit:
        lines[-1] += f" ({_shown(question.unit)})"
    if question.kind == "grid":
        lines += [
            "",
            "[[Choices]]",
            *(_shown(row.text) for row in question.rows),
            "",
            "[[AdvancedAnswers]]",
        ]
        sign = "Answer"
    elif question.choices:
        lines += ["", "[[AdvancedChoices]]"]
        sign = "Choice"
    for choice in question.choices:
        lines += [f"[[{sign}:{choice.code}]]", _shown(choice.text)]
    return "\n".join(lines)


def _shown(text: str) -> str:
    """Return text as Qualtrics shows it, which takes every text for HTML."""
    return html.escape(text, quote=False)
