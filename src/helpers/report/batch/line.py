"""One report of a batch: made by ``study run``'s own means, told in one line of the journal."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from helpers.errors import SuiteError
from helpers.report import crate, folder, manifest
from helpers.report.batch.expand import Report
from helpers.report.batch.journal import file_hash
from helpers.report.batch.numbers import read_numbers
from helpers.report.book import Job
from helpers.report.kernels import Kernels
from helpers.report.run import Outcome, Terms, plan, render, with_facts

Line = dict[str, Any]


def make_report(report: Report, kernels: Kernels, terms: Terms) -> Line:
    """Run and write one report; return its line."""
    request = report.request
    jobs = plan(request)
    folder.prepare(request.folder, command="study batch")
    before = manifest.read_json(request.folder / manifest.MANIFEST).get("notebooks", {})
    outcome = render(request, jobs, kernels, terms)
    return _line(report, jobs, outcome, known=before.keys())


def one_report(report: Report, kernels: Kernels, terms: Terms) -> Line:
    """Make one report; what goes wrong in it is told in its line.

    Raises
    ------
    ReportError
        The disk takes no more: the next report would fail in the same way.
    """
    started = time.perf_counter()
    try:
        return make_report(report, kernels, terms)
    except SuiteError as error:
        if isinstance(error.__cause__, OSError):
            raise
        return failed_line(report, str(error), seconds=time.perf_counter() - started)


def is_kept(report: Report, line: Mapping[str, Any]) -> bool:
    """Tell whether a report stands as its line says and would come out the same today."""
    root = report.request.folder
    return (
        line["status"] in ("made", "not_applicable")
        and line["manifest"] == file_hash(root / manifest.MANIFEST) != ""
        and crate.is_whole(root)
        and line["made_from"] == made_from(report)
    )


def failed_line(report: Report, message: str, *, seconds: float) -> Line:
    """Return the line of a report that could not be begun or written."""
    return {
        **_head(report), "status": "failed", "seconds": round(seconds, 3), "why": [],
        "notebooks": {}, "failures": [{"notebook": "", "message": message}], "numbers": [],
        "manifest": "", "made_from": "",
    }  # fmt: skip


def _line(report: Report, jobs: Sequence[Job], outcome: Outcome, *, known: Any) -> Line:
    """Return what the journal says about a report that was written."""
    path = outcome.folder / manifest.MANIFEST
    entries = manifest.read_json(path).get("notebooks", {})
    states = {name: entries[name]["status"] for name in sorted(entries)}
    failures = [
        {"notebook": name, "message": entries[name]["key_sentence"], "page": entries[name]["page"]}
        for name, status in states.items()
        if status == "failed"
    ]
    return {
        **_head(report),
        "status": _status(list(states.values())),
        "seconds": round(outcome.seconds, 3),
        "why": _why(outcome, known),
        "notebooks": states,
        "reason": _reason(entries),
        "failures": failures,
        "numbers": read_numbers(outcome.folder, report.key_numbers),
        "manifest": file_hash(path),
        "made_from": made_from(report, jobs),
    }


def _head(report: Report) -> Line:
    """Return what tells a report from the others."""
    request = report.request
    return {
        "report": report.name, "axes": dict(report.axes), "language": request.language,
        "selection": request.selection, "formats": list(request.formats),
    }  # fmt: skip


def _status(states: Sequence[str]) -> str:
    """Return how a report ended from how its notebooks did."""
    if "failed" in states:
        return "failed"
    return "not_applicable" if set(states) == {"not_applicable"} else "made"


def _reason(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """Return why a report holds no result, where that is one reason for all its notebooks."""
    if any(entry["status"] != "not_applicable" for entry in entries.values()):
        return ""
    sentences = {entry["key_sentence"] for entry in entries.values()}
    return sentences.pop() if len(sentences) == 1 else ""


def _why(outcome: Outcome, known: Any) -> list[str]:
    """Return why notebooks that were there before ran again, each reason once."""
    told: dict[str, list[str]] = {}
    for name, reasons in outcome.why.items():
        for reason in reasons:
            if name in known:
                told.setdefault(reason, []).append(name[:2])
    return [f"{reason} ({' '.join(numbers)})" for reason, numbers in told.items()]


def made_from(report: Report, jobs: Sequence[Job] = ()) -> str:
    """Return a hash of all that a report depends on, as things are on this machine."""
    request = report.request
    jobs = jobs or plan(request)
    data = _data_hash(request.study, tuple(_changes(request.study)))
    keys = [with_facts(job, data=data, request=request).facts.key() for job in jobs]
    text = json.dumps([keys, request.formats, request.language])
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _changes(study: str) -> list[tuple[str, int, int]]:
    """Return names, sizes and times of a study's files: what tells cheaply that one changed."""
    from helpers.study import study_folder

    found = sorted(path for path in study_folder(study).rglob("*") if path.is_file())
    return [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in found]


@lru_cache(maxsize=32)
def _data_hash(study: str, _changes: tuple) -> str:
    """Return the hash of one state of a study's files."""
    return manifest.data_hash(manifest.data_files(study))
