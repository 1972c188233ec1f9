"""Guesses of ``study new`` that nobody has confirmed yet, as ``study check`` lists them."""

from __future__ import annotations

import csv
from pathlib import Path

from helpers.survey.findings import Finding, in_file, said
from helpers.survey.new.guess import REVIEW


def open_reviews(folder: Path) -> list[Finding]:
    """Return one finding for each mark REVIEW in study.yml and each filled cell ``review``."""
    findings = []
    study = folder / "study.yml"
    if study.is_file():
        for number, line in enumerate(study.read_text(encoding="utf-8-sig").splitlines(), start=1):
            why = line.partition(f"# {REVIEW}")[2].strip()
            if why:
                key = line.split("#")[0].strip().partition(":")[0].lstrip('- {"')
                findings.append(_line(number, f"{key}: {why}"))
    items = folder / "items.csv"
    if items.is_file():
        with items.open(encoding="utf-8-sig", newline="") as handle:
            for row in csv.DictReader(handle):
                if (row.get("review") or "").strip():
                    findings.append(_item(str(row.get("item")), row["review"]))
    return findings


def _line(number: int, what: str) -> Finding:
    """Return the finding on one line of study.yml."""
    at = said("study.yml, line {number}", number=number)
    return Finding("note", at, said("to be confirmed: {what}", what=what))


def _item(item: str, what: str) -> Finding:
    """Return the finding on one row of items.csv."""
    sentence = said("to be confirmed: {what}", what=what).together(
        "to be confirmed for {k} items: {what}. Items: {each}.", each=said("{item}", item=item)
    )
    return Finding("note", in_file("items.csv", item), sentence)
