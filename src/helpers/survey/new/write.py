"""The files of a proposed study: ``study.yml``, ``items.csv`` and the data sheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

from helpers.study import ITEM_COLUMNS
from helpers.survey.new.columns import Column
from helpers.survey.new.draft import Proposal
from helpers.survey.new.guess import REVIEW
from helpers.survey.new.words import language_of
from helpers.survey.readers.detect import Detected

_TO_WRITE = "to be written by the researcher"
_TO_WRITE_ZH = "待研究者填写"


def study_yml(
    proposal: Proposal, detected: Detected, *, name: str, title: str, file: str, sha256: str
) -> str:
    """Return the study file, with a comment ``# REVIEW:`` at guesses and gaps."""
    lines = [
        "# Made by `study new` from an export. Lines marked REVIEW are guesses or gaps: confirm or",
        "# correct each, then delete the mark. `study check` lists those that are left.",
        f"id: {name}",
        "kind: survey",
        f"title: {_once(title)}  # {REVIEW} the title in both languages",
        f"provenance: {_both(_TO_WRITE, _TO_WRITE_ZH)}  # {REVIEW} who asked whom, when, how",
        f"licence: {_flow('not stated')}  # {REVIEW} under which licence the data stand",
        f"citation: {_flow('not stated')}  # {REVIEW} how the study is to be cited",
        "",
        "data:",
    ]
    keys = {**detected.source_keys(), "file": file, "sha256": sha256}
    doubts = {g.what.partition(".")[0]: g for g in detected.guesses if not g.sure}
    lines += [f"  {k}: {_flow(v)}{_doubt(doubts.get(k))}" for k, v in keys.items()]
    lines += ["", "scales:"]
    for scale, column in proposal.scales.items():
        lines += _scale(scale, column)
    lines += ["", "constructs:"]
    for code, stem in proposal.constructs.items():
        parts = f"{{code: {code}, name: {_once(stem)}}}"
        lines.append(f"  - {parts}{_noted(proposal, f'constructs.{code}')}")
    lines += _screening(proposal)
    lines += _background(proposal)
    return "\n".join(lines) + "\n"


def items_csv(proposal: Proposal) -> str:
    """Return the codebook; the column ``review`` holds what was guessed about an item.

    A wording stands under its own language; the other is empty until somebody translates it.
    """
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, ITEM_COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    for item in proposal.items.values():
        language = language_of(item.wording)
        writer.writerow(
            {
                "item": item.name,
                "construct": item.construct,
                "scale": item.scale,
                "wording_en": "" if language == "zh" else item.wording,
                "wording_zh": "" if language == "en" else item.wording,
                "reverse": "0",
                "missing_codes": ";".join(f"{c}={_one(why)}" for c, why in item.missing.items()),
                "shown_if": item.shown_if,
                "module": "main",
                "column": "" if item.column == item.name else item.column,
                "review": " | ".join(note.removeprefix(REVIEW).strip() for note in item.notes),
            }
        )
    return out.getvalue()


def data_sheet(
    proposal: Proposal, detected: Detected, *, title: str, file: str, n_rows: int,
    dropped: dict[str, str], sha256: str,
) -> str:  # fmt: skip
    """Return the data sheet: what the file tells, and what only the researcher knows."""
    by_why: dict[str, list[str]] = {}
    for column, why in dropped.items():
        by_why.setdefault(why, []).append(column)
    left_out = [f"- {why}: {len(c)} columns ({', '.join(c[:12])})" for why, c in by_why.items()]
    facts = [
        f"- File `{file}`, SHA-256 `{sha256}`; read-only.",
        f"- Read as `{detected.reader}`; answers in the form: {detected.form}.",
        f"- {n_rows} rows received, {len(proposal.items)} items, "
        f"{len(proposal.constructs)} constructs proposed.",
    ]
    asked = [
        "Who asked, and for what purpose?", "Who was asked, how were they found, over which recall "
        "window?", "When and on which platform?", "Did people consent, and to what? Which ethics "
        "approval?", "Who may use the data, and how are they cited?", "What is known to be wrong "
        "with them?",
    ]  # fmt: skip
    return "\n".join(
        [
            f"# {title}", "", "## What the file tells", "", *facts, "",
            "## What was not read", "", *(left_out or ["- Nothing was left out."]), "",
            "The raw file still holds all of it. Do not give the raw file away; `study export` "
            "writes a copy to share.", "",
            "## What only the researcher can say", "",
            "Questions after Gebru et al. (2021, doi:10.1145/3458723); answer each here.", "",
            *(f"{k}. {question}" for k, question in enumerate(asked, start=1)), "",
        ]
    )  # fmt: skip


def _scale(name: str, column: Column) -> list[str]:
    """Return one scale."""
    low, high = column.low, column.high
    head = f"  {name}: {{kind: {column.kind}"
    if column.kind in ("likert", "number") and low is not None and high is not None:
        ends = f", low: {low:g}, high: {high:g}" if column.kind == "likert" else ""
        head += ends
    if not column.labels or column.kind in ("number", "text"):
        note = (
            f"  # {REVIEW} labels, if the questionnaire had any" if column.kind == "likert" else ""
        )
        return [f"{head}}}{note}"]
    lines = [f"  {name}:  # {REVIEW} codes and labels, and the other language"]
    lines.append(f"    kind: {column.kind}")
    if column.kind == "likert":
        lines += [f"    low: {low:g}", f"    high: {high:g}"]
    lines.append("    labels:")
    lines += [f"      {code}: {_once(text)}" for code, text in column.labels.items()]
    return lines


def _screening(proposal: Proposal) -> list[str]:
    """Return the screening: what is certain excludes, the rest is only marked."""
    lines = ["", "screening:"]
    exclude = ["preview", "unfinished"]
    for kind, mark in (("consent", "no_consent"), ("screener", "screened_out")):
        if kind in proposal.screening:
            noted = _noted(proposal, f"screening.{kind}")
            lines.append(f"  {kind}: {_flow(proposal.screening[kind])}{noted}")
            exclude.append(mark)
    if "attention" in proposal.screening:
        lines.append("  attention:")
        lines += [
            f"    - {_flow(rule)}  # {REVIEW} an attention check, by its wording"
            for rule in proposal.screening["attention"]
        ]
    noted = _noted(proposal, "screening.exclude")
    lines.append(f"  exclude: [{', '.join(exclude)}]{noted}")
    return lines


def _background(proposal: Proposal) -> list[str]:
    """Return groups, controls and quasi-identifiers."""
    lines = []
    if proposal.groups:
        lines += ["", "groups:"]
        lines += [
            f"  {name.lower()}: {{item: {name}, title: {_once(name)}}}  # {REVIEW} a group?"
            for name in proposal.groups
        ]
    if proposal.controls:
        lines += ["", f"controls: [{', '.join(proposal.controls)}]  # {REVIEW} which are controls"]
    lines += [
        "",
        f"privacy: {{quasi_identifiers: [{', '.join(proposal.quasi)}]}}"
        f"  # {REVIEW} what outsiders may know of a respondent",
    ]
    return lines


def _noted(proposal: Proposal, place: str) -> str:
    """Return the comment of a guess, or nothing."""
    hit = next((g for g in proposal.guesses if g.place == place), None)
    return f"  # {hit.note()}" if hit else ""


def _doubt(guess: object | None) -> str:
    """Return the comment on something about the file that was not certain."""
    if guess is None:
        return ""
    others = ", ".join(getattr(guess, "alternatives", ()))
    return f"  # {REVIEW} {_one(guess.because)}" + (f"; else {others}" if others else "")


def _both(en: str, zh: str) -> str:
    """Return a text in the two languages as flow YAML."""
    return f"{{en: {_flow(_one(en))}, zh: {_flow(_one(zh))}}}"


def _once(text: str) -> str:
    """Return a text under its own language; the other one is left for the researcher to write."""
    language, text = language_of(text), _one(text)
    return f"{{{language}: {_flow(text)}}}" if language else _both(text, text)


def _one(text: str) -> str:
    """Return a text in one line, without the sign that joins codes."""
    return " ".join(str(text).replace(";", ",").split()) or "?"


def _flow(value: object) -> str:
    """Return a value as flow YAML; double-quoted JSON texts are YAML too."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return "[" + ", ".join(_flow(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)
