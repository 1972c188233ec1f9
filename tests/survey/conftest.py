"""A small study folder that tests can bend: six items, five respondents, Qualtrics form."""

from __future__ import annotations

import copy
import csv
import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

_AGREE = {
    "kind": "likert",
    "low": 1,
    "high": 7,
    "labels": {
        1: {"en": "strongly disagree", "zh": "非常不同意"},
        4: {"en": "neither", "zh": "一般"},
        6: {"en": "agree", "zh": "同意"},
        7: {"en": "strongly agree", "zh": "非常同意"},
    },
}

STUDY: dict[str, Any] = {
    "id": "toy",
    "title": {"en": "Toy study", "zh": "示例研究"},
    "kind": "survey",
    "provenance": {"en": "Written for the tests.", "zh": "为测试而写。"},
    "licence": "MIT",
    "citation": "none",
    "data": {"reader": "qualtrics", "file": "raw/main.csv"},
    "scales": {
        "agree7": _AGREE,
        "yesno": {
            "kind": "category",
            "labels": {1: {"en": "Yes", "zh": "是"}, 2: {"en": "No", "zh": "否"}},
        },
        "problem": {
            "kind": "multiple",
            "labels": {
                1: {"en": "Late delivery", "zh": "发货延迟"},
                2: {"en": "Wrong item, or wrong size", "zh": "商品破损"},
                3: {"en": "Other", "zh": "其他【请注明】"},
            },
        },
        "years": {"kind": "number", "low": 0, "high": 120},
        "open": {"kind": "text"},
    },
    "constructs": [{"code": "SAT", "name": {"en": "Satisfaction", "zh": "满意"}}],
    "screening": {
        "consent": {"item": "CONSENT", "accept": [1]},
        "attention": [{"item": "ATT", "accept": [6]}],
        "exclude": ["preview", "no_consent", "unfinished", "failed_attention"],
    },
}

ITEMS: list[dict[str, str]] = [
    {"item": "CONSENT", "scale": "yesno"},
    {"item": "SAT1", "scale": "agree7", "construct": "SAT"},
    {"item": "SAT2", "scale": "agree7", "construct": "SAT"},
    {"item": "SAT3", "scale": "agree7", "construct": "SAT", "reverse": "1"},
    {"item": "ATT", "scale": "agree7"},
    {"item": "PROB", "scale": "problem"},
    {"item": "AGE", "scale": "years", "missing_codes": "999=refused"},
]

META = ["StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)",
        "Finished", "RecordedDate", "ResponseId", "LocationLatitude", "DistributionChannel",
        "UserLanguage"]  # fmt: skip
ANSWERS = ["CONSENT", "SAT1", "SAT2", "SAT3", "ATT", "PROB", "AGE"]


def respondent(number: int, *answers: str, **meta: str) -> list[str]:
    """Return one Qualtrics row; ``meta`` overwrites metadata by column name."""
    cells = {
        "StartDate": f"2026-03-02 09:{number:02d}:00",
        "EndDate": f"2026-03-02 09:{number + 5:02d}:00",
        "Status": "IP Address",
        "IPAddress": f"192.0.2.{number}",
        "Progress": "100",
        "Duration (in seconds)": "300",
        "Finished": "True",
        "RecordedDate": "2026-03-02 10:00:00",
        "ResponseId": f"R_{number}",
        "LocationLatitude": "31.2",
        "DistributionChannel": "anonymous",
        "UserLanguage": "EN",
    } | {k.replace("_", " ") if k.startswith("Duration") else k: v for k, v in meta.items()}
    return [cells[c] for c in META] + list(answers)


ROWS = [
    respondent(1, "1", "5", "6", "2", "6", "1,3", "30"),
    respondent(2, "1", "7", "7", "1", "6", "2", "999"),
    respondent(3, "1", "3", "", "5", "6", "", "52"),
    respondent(4, "2", "", "", "", "", "", "", Finished="False", Progress="20"),
    respondent(5, "1", "4", "4", "4", "4", "1", "19"),
]


def qualtrics_text(rows: list[list[str]], header: list[str] | None = None) -> str:
    """Return a Qualtrics file with three header rows."""
    names = META + ANSWERS if header is None else header
    ids = [f'{{"ImportId":"{n}"}}' for n in names]
    out = io.StringIO()
    csv.writer(out).writerows([names, [f"Label of {n}" for n in names], ids, *rows])
    return out.getvalue()


@pytest.fixture
def toy_spec() -> dict[str, Any]:
    """Return a copy of the toy study file that a test may change."""
    return copy.deepcopy(STUDY)


@pytest.fixture
def make_study(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a study folder and gives its path."""

    def write(
        *,
        spec: dict[str, Any] | None = None,
        items: list[dict[str, str]] | None = None,
        content: str | bytes | None = None,
        sha256: str | None = None,
    ) -> Path:
        folder = tmp_path / "toy"
        (folder / "raw").mkdir(parents=True, exist_ok=True)
        study = copy.deepcopy(STUDY if spec is None else spec)
        if study.get("data", {}).get("file"):
            text = qualtrics_text(ROWS) if content is None else content
            raw = text.encode("utf-8") if isinstance(text, str) else text
            (folder / study["data"]["file"]).write_bytes(raw)
            study["data"]["sha256"] = sha256 or hashlib.sha256(raw).hexdigest()
        (folder / "study.yml").write_text(
            yaml.safe_dump(study, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
        columns = ["item", "construct", "scale", "wording_en", "wording_zh", "reverse",
                   "missing_codes", "shown_if", "module", "column", "source"]  # fmt: skip
        with (folder / "items.csv").open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, columns, restval="")
            writer.writeheader()
            for item in ITEMS if items is None else items:
                wording = {"wording_en": item["item"], "wording_zh": item["item"]}
                writer.writerow(wording | item)
        return folder

    return write
