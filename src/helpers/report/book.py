"""A run's folder as a book: pages, files, index, manifest and results, kept together."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers.errors import ReportError
from helpers.i18n import _, in_language
from helpers.report import crate, files, folder, manifest
from helpers.report.execute import Executed, Failure
from helpers.report.facts import Facts, reasons
from helpers.report.harvest import Harvest, harvest
from helpers.report.index import run_index
from helpers.report.page import Frame, notebook_page
from helpers.report.parameters import defaults
from helpers.report.printed import docx, pdf
from helpers.report.request import Request
from helpers.report.scrub import plain
from helpers.study import read_folder, study_folder

REPORT_NUMBER = "95"
"""The notebook that is the paper: its page, without code, is ``report.html`` as well."""

PRINTERS = {"pdf": pdf, "docx": docx}


@dataclass(frozen=True, slots=True)
class Job:
    """One notebook of a run."""

    source: Path
    given: Mapping[str, Any]
    declared: Mapping[str, str]
    facts: Facts | None = None

    @property
    def name(self) -> str:
        """The notebook's name, which is that of its page."""
        return self.source.stem


class Book:
    """The run's folder as it grows: pages, files, index, manifest and results."""

    def __init__(
        self, request: Request, *, title: str, simulated: bool, jobs: Sequence[Job]
    ) -> None:
        self.request, self.title, self.simulated = request, title, simulated
        self.root = request.folder
        self.order = [job.name for job in jobs]
        self.data_files = manifest.data_files(request.study)
        self.data_hash = manifest.data_hash(self.data_files)
        earlier = manifest.read_json(self.root / manifest.MANIFEST)
        results = manifest.read_json(self.root / manifest.RESULTS)
        self.entries: dict[str, dict[str, Any]] = earlier.get("notebooks", {})
        self.results: dict[str, dict[str, Any]] = results.get("notebooks", {})
        if not request.only:
            self._drop({*self.entries} - {*self.order})
        self._lock = threading.Lock()

    def longest_first(self, jobs: Sequence[Job]) -> list[Job]:
        """Return jobs by the time each took last, so that no long one is left for the end."""
        took = {name: entry.get("seconds", 0.0) for name, entry in self.entries.items()}
        return sorted(jobs, key=lambda job: -took.get(job.name, 0.0))

    def reasons(self, job: Job) -> list[str]:
        """Return in words why a notebook is not as it was when the folder was last written."""
        return reasons(self.entries.get(job.name, {}).get("made_from", {}), job.facts)

    def add(self, job: Job, done: Executed) -> str:
        """Write everything one notebook yields and return how it ended."""
        with in_language(self.request.language):
            found = harvest(done.notebook, name=job.name, failure=done.failure)
            if done.failure is None and found.unsolved:
                done = replace(done, failure=_unsolved(found))
            try:
                entry = self._write(job, done, found)
            except ReportError as error:
                failure = Failure("page", type(error).__name__, str(error))
                found.blocks.clear()
                entry = self._write(job, replace(done, failure=failure), found)
        with self._lock:
            before = self.entries.get(job.name, {})
            folder.remove(self.root, _names(before) - _names(entry))
            self.entries[job.name] = entry
            self.results[job.name] = manifest.results_of(found.payloads)
        return entry["status"]

    def _write(self, job: Job, done: Executed, found: Harvest) -> dict[str, Any]:
        """Write page, tables, figures and the executed notebook of one job."""
        number = job.name[:2]
        parameters = parameters_of(job)
        entry: dict[str, Any] = {
            "title": found.title,
            "status": _status(found, done.failure),
            "seconds": round(done.seconds, 3),
            "key_sentence": _key_sentence(found, done.failure),
            "page": f"{job.name}.html",
            "notebook": files.write_notebook(self.root, job.name, done),
            "tables": files.write_tables(self.root, number, found),
            "figures": files.write_figures(self.root, number, found),
            "parameters": parameters,
            "seeds": {n: v for n, v in parameters.items() if n == "seed" or n.endswith("_seed")},
            "made_at": _now(),
            "data_hash": self.data_hash,
            "commit": manifest.commit(),
            "code": dict(job.facts.code),
            "made_from": job.facts.as_dict(),
        }
        if done.failure is not None:
            entry["failure"] = _failure(done.failure)
        frame = self._frame(job, parameters)
        page = notebook_page(found, frame, failure=done.failure)
        folder.write_whole(self.root / entry["page"], page)
        entry["printed"] = self._print(job, found, frame, done.failure)
        if number == REPORT_NUMBER:
            paper = notebook_page(found, frame, failure=done.failure, show_code=False)
            folder.write_whole(self.root / "report.html", paper)
            entry["paper"] = "report.html"
        return entry

    def _print(
        self, job: Job, found: Harvest, frame: Frame, failure: Failure | None
    ) -> dict[str, str]:
        """Write the other formats asked for; return them with their files."""
        written = {}
        paper = job.name[:2] == REPORT_NUMBER
        stem = "report" if paper else job.name
        for name, make in PRINTERS.items():
            if name in self.request.formats:
                written[name] = f"{stem}.{name}"
                data = make(found, frame, failure=failure, paper=paper)
                folder.write_whole(self.root / written[name], data)
        return written

    def close(self, *, seconds: float, kernels: str) -> None:
        """Write index, manifest and results for what is there."""
        head = {
            "study": self.request.study,
            "title": self.title,
            "simulated": self.simulated,
            "selection": self.request.selection,
            "run": self.request.run,
            "language": self.request.language,
        }
        whole = {
            **head,
            "parameters": dict(self.request.parameters),
            "data": {"hash": self.data_hash, "files": self.data_files},
            "versions": manifest.versions(),
            "commit": manifest.commit(),
            "engine": {
                "name": "papermill",
                "kernels": f"ordinary: {kernels}" if kernels else "forked",
                "workers": self.request.workers,
            },
            "made_at": _now(),
            "seconds": round(seconds, 3),
            "notebooks": dict(sorted(self.entries.items())),
        }
        results = {**head, "notebooks": dict(sorted(self.results.items()))}
        folder.write_whole(self.root / manifest.RESULTS, manifest.as_json(results))
        folder.write_whole(self.root / manifest.MANIFEST, manifest.as_json(whole))
        with in_language(self.request.language):
            frame = Frame(self.title, self.simulated, self._index_links(), self._provenance({}))
            folder.write_whole(self.root / "index.html", run_index(whole, frame))
        spec = read_folder(study_folder(self.request.study)).spec
        folder.write_whole(self.root / crate.CRATE, crate.crate_text(whole, spec, self.root))

    def _frame(self, job: Job, parameters: Mapping[str, Any]) -> Frame:
        """Return head and foot of a notebook's page."""
        names = sorted({*self.order, *self.entries})
        at = names.index(job.name)
        links = [("index.html", _("All notebooks"))]
        if at > 0:
            links.append(
                (f"{names[at - 1]}.html", _("← {number}").format(number=names[at - 1][:2]))
            )
        if at < len(names) - 1:
            links.append(
                (f"{names[at + 1]}.html", _("{number} →").format(number=names[at + 1][:2]))
            )
        return Frame(self.title, self.simulated, links, self._provenance(parameters))

    def _index_links(self) -> list[tuple[str, str]]:
        """Return the links in the head of the run's index."""
        links = [("../../index.html", _("All runs"))]
        if any("paper" in entry for entry in self.entries.values()):
            links.insert(0, ("report.html", _("The study report")))
        return [*links, (manifest.RESULTS, _("All numbers")), (manifest.MANIFEST, _("Manifest"))]

    def _provenance(self, parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return what the foot of a page says about its origin."""
        versions = manifest.versions()
        rows = [
            (
                _("Study"),
                _("{study} (run: {run})").format(study=self.request.opened, run=self.request.run),
            ),
            (_("Data (SHA-256)"), self.data_hash),
        ]
        if parameters:
            text = ", ".join(f"{name} = {value}" for name, value in parameters.items())
            rows.append((_("Parameters"), text))
        rows.append((_("Versions"), ", ".join(f"{n} {v}" for n, v in versions.items())))
        if manifest.commit():
            rows.append((_("Commit"), manifest.commit()))
        return rows

    def _drop(self, names: set[str]) -> None:
        """Forget notebooks that the project no longer has."""
        for name in names:
            folder.remove(self.root, _names(self.entries.pop(name)))
            self.results.pop(name, None)


def _names(entry: Mapping[str, Any]) -> set[str]:
    """Return the files of one notebook."""
    names = {entry[key] for key in ("page", "notebook", "paper") if key in entry}
    names |= set(entry.get("printed", {}).values())
    return names | {f["file"] for key in ("tables", "figures") for f in entry.get(key, [])}


def parameters_of(job: Job) -> dict[str, Any]:
    """Return the parameters in force: the notebook's defaults with what was given."""
    return {**defaults(job.source), **job.given}


def _status(found: Harvest, failure: Failure | None) -> str:
    """Return how a notebook ended, as the manifest names it."""
    if failure is not None:
        return "failed"
    return "not_applicable" if found.stopped else "made"


def _key_sentence(found: Harvest, failure: Failure | None) -> str:
    """Return what the index says about a notebook: its result, or why it failed."""
    if failure is None:
        return found.key_sentence
    return plain(f"{failure.name}: {failure.message}".strip(": "))


def _unsolved(found: Harvest) -> Failure:
    """Return the failure of a notebook whose own solutions are not right."""
    told = " ".join(a["text"] for a in found.of_kind("answer") if a["id"] in found.unsolved)
    message = f"the notebook's own answers must be right. Correct its solution cells. {told}"
    return Failure("page", "WrongAnswer", message)


def _failure(failure: Failure) -> dict[str, Any]:
    """Return a failure for the manifest."""
    message = plain(failure.message)
    return {"kind": failure.kind, "name": failure.name, "message": message, "cell": failure.cell}


def _now() -> str:
    """Return the time to the second, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
