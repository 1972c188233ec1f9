"""The questionnaire to be read: a self-contained HTML page, and one for Word to be made from."""

from __future__ import annotations

import html

from helpers.i18n import _
from helpers.survey.questionnaire.instrument import Instrument, Question

_STYLE = """
body { font: 16px/1.5 "Noto Sans", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif;
  color: #1a1a1a; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } section { border-top: 1px solid #ccc; padding: 1rem 0; }
fieldset { border: 0; margin: 0 0 1.5rem; padding: 0; min-width: 0; }
legend { font-weight: 600; padding: 0; } label { display: block; padding: .2rem 0; }
.who { color: #555; font-size: .9rem; margin: .2rem 0; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .4rem .3rem; text-align: center; }
thead th { font-weight: 400; font-size: .85rem; vertical-align: bottom; }
tbody th { text-align: left; font-weight: 400; min-width: 14rem; }
tbody tr:nth-child(odd) { background: #f3f3f3; }
@media print { section { break-inside: avoid; } }
"""
_FIRST_COLUMN = 40
"""Per cent of a grid's width for its statements."""

_TAGS = {"en": "en", "zh": "zh-CN"}


def html_text(instrument: Instrument) -> str:
    """Return the questionnaire as one HTML page, without scripts and without anything from outside.

    It is for reading, pretesting and printing: nothing is sent anywhere. Branches stand as a
    sentence above the question.
    """
    title = html.escape(instrument.title)
    parts = [f"<p>{html.escape(text)}</p>" for text in instrument.welcome]
    number = 0
    for page in instrument.pages:
        parts.append("<section>")
        for question in page:
            number += 1
            parts.append(_fieldset(number, question))
        parts.append("</section>")
    parts += [f"<p>{html.escape(text)}</p>" for text in instrument.thanks]
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="{_TAGS[instrument.language]}">\n<head>\n'
        f'<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n<form>\n{body}\n</form>\n</main>\n</body>\n</html>\n"
    )


def paper_html(instrument: Instrument) -> str:
    """Return the questionnaire as plain HTML for paper: signs to tick in place of buttons."""
    parts = [f"<p>{html.escape(text)}</p>" for text in instrument.welcome]
    number = 0
    for k, page in enumerate(instrument.pages, start=1):
        parts.append(f"<h2>{html.escape(_('Page {k}').format(k=k))}</h2>")
        for question in page:
            number += 1
            parts.append(_on_paper(number, question))
    parts += [f"<p>{html.escape(text)}</p>" for text in instrument.thanks]
    return "\n".join(parts)


def who_is_asked(question: Question) -> str:
    """Return who a question is for, in the current language; empty if for everybody."""
    if question.shown_if is None:
        return ""
    codes = " / ".join(str(code) for code in question.shown_if.codes)
    return _("(Asked only if {item} is {codes}.)").format(item=question.shown_if.item, codes=codes)


def _fieldset(number: int, question: Question) -> str:
    """Return one question as HTML."""
    legend = f"<legend>{number}. {html.escape(question.text)}</legend>"
    who = who_is_asked(question)
    note = f'<p class="who">{html.escape(who)}</p>' if who else ""
    if question.kind == "grid":
        answer = _table(question)
    elif question.kind in ("single", "multiple"):
        kind = "radio" if question.kind == "single" else "checkbox"
        answer = "".join(
            f'<label><input type="{kind}" name="{question.name}" value="{c.code}"> '
            f"{html.escape(c.text)}</label>"
            for c in question.choices
        )
    elif question.kind == "number":
        limits = "".join(
            f' {end}="{value:g}"'
            for end, value in (("min", question.low), ("max", question.high))
            if value is not None
        )
        answer = (
            f'<label><input type="number" name="{question.name}"{limits}> '
            f"{html.escape(question.unit)}</label>"
        )
    else:
        answer = f'<textarea name="{question.name}" rows="3" cols="60"></textarea>'
    return f"<fieldset>{legend}{note}{answer}</fieldset>"


def _table(question: Question) -> str:
    """Return a grid as an HTML table."""
    head = "".join(f'<th scope="col">{html.escape(c.text)}</th>' for c in question.choices)
    rows = []
    for row in question.rows:
        cells = "".join(
            f'<td><input type="radio" name="{row.item}" value="{c.code}" '
            f'aria-label="{html.escape(c.text)}"></td>'
            for c in question.choices
        )
        rows.append(f'<tr><th scope="row">{html.escape(row.text)}</th>{cells}</tr>')
    return (
        f'<div class="scroll"><table><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _on_paper(number: int, question: Question) -> str:
    """Return one question for paper."""
    who = who_is_asked(question)
    head = f"<p><strong>{number}. {html.escape(question.text)}</strong></p>"
    head += f"<p><em>{html.escape(who)}</em></p>" if who else ""
    if question.kind == "grid":
        return head + _paper_table(question)
    if question.choices:
        sign = "○" if question.kind == "single" else "☐"
        lines = "<br>".join(f"{sign} {html.escape(c.text)}" for c in question.choices)
        return f"{head}<p>{lines}</p>"
    return f"{head}<p>{'_' * 12} {html.escape(question.unit)}</p>"


def _paper_table(question: Question) -> str:
    """Return a grid with widths, since Word would make all columns alike."""
    share = (100 - _FIRST_COLUMN) / len(question.choices)
    widths = f'<col style="width:{_FIRST_COLUMN}%">'
    widths += f'<col style="width:{share:.2f}%">' * len(question.choices)
    centred = 'style="text-align:center"'
    labels = "".join(f"<th {centred}>{html.escape(c.text)}</th>" for c in question.choices)
    circles = f"<td {centred}>○</td>" * len(question.choices)
    rows = "".join(f"<tr><td>{html.escape(r.text)}</td>{circles}</tr>" for r in question.rows)
    return (
        f"<table><colgroup>{widths}</colgroup><thead><tr><th></th>{labels}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )
