"""Guesses of ``study new`` that nobody has confirmed yet, as ``study check`` lists them."""

from __future__ import annotations

import csv
from pathlib import Path

from helpers.survey.findings import Finding
from helpers.survey.new.guess import REVIEW


def open_reviews(folder: Path) -> list[Finding]:
    """Return one finding for each mark REVIEW in study.yml and each filled cell ``review``."""
    findings = []
    study = folder / "study.yml"
    if study.is_file():
        for number, line in enumerate(study.read_text(encoding="utf-8-sig").splitlines(), start=1):
            said = line.partition(f"# {REVIEW}")[2].strip()
            if said:
                key = line.split("#")[0].strip().partition(":")[0].lstrip('- {"')
                place = f"study.yml, line {number}"
                findings.append(Finding("note", place, f"to be confirmed: {key}: {said}"))
    items = folder / "items.csv"
    if items.is_file():
        with items.open(encoding="utf-8-sig", newline="") as handle:
            for row in csv.DictReader(handle):
                if (row.get("review") or "").strip():
                    place = f"items.csv, item {row.get('item')}"
                    findings.append(Finding("note", place, f"to be confirmed: {row['review']}"))
    return findings
