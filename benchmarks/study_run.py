"""Time of ``study run`` beside the plain ``papermill`` command, and the memory both take.

The same notebooks with the same parameters are executed three ways in one go: by ``study run``
(forked kernels; it renders pages, tables, figures and index on top), by ``study run
--plain-kernels``, and one after another by the ``papermill`` command (no pages). All of them get
one BLAS thread, so that only kernels are compared. Usage::

    python benchmarks/study_run.py [--quick] [--study NAME] [--workers N]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.report.forkserver import ONE_THREAD

ROOT = Path(__file__).parents[1]
QUICK = ("00", "20", "32")
SAMPLE_SECONDS = 0.1


@dataclass
class Measured:
    """A command that ran: wall time, exit code, and the highest memory of all its processes."""

    seconds: float
    code: int
    peak_mb: float


def measure(command: Sequence[str]) -> Measured:
    """Run a command and watch the proportional memory of its whole process tree."""
    env = {**os.environ, **ONE_THREAD, "STUDY_ROOT": str(ROOT)}
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(SAMPLE_SECONDS):
            peak[0] = max(peak[0], sum(memory_mb(pid) for pid in tree(process.pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    seconds = time.perf_counter() - started
    over.set()
    watcher.join()
    return Measured(seconds, code, peak[0])


def tree(root: int) -> set[int]:
    """Return a process and all its descendants."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(entry.name)] = int(fields[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def memory_mb(pid: int) -> float:
    """Return a process's share of memory (PSS): pages that processes share count once."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    kilobytes = next((line.split()[1] for line in text.splitlines() if line.startswith("Pss:")), 0)
    return int(kilobytes) / 1024


def study_run(
    options: argparse.Namespace, only: Sequence[str], *extra: str
) -> tuple[Measured, dict]:
    """Render with ``study run`` into a folder of its own; return what its manifest says too."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "helpers.cli", "run", options.study, "--out", folder,
            "--only", ",".join(only), "--workers", str(options.workers), *extra,
        ]  # fmt: skip
        measured = measure(command)
        manifest = Path(folder) / options.study / "en" / "manifest.json"
        return measured, json.loads(manifest.read_text(encoding="utf-8"))["notebooks"]


def papermill(options: argparse.Namespace, notebook: Path) -> Measured:
    """Execute one notebook with the ``papermill`` command."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(sys.executable).with_name("papermill")
        target = Path(folder) / notebook.name
        return measure([str(program), str(notebook), str(target), "-p", "study", options.study])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three notebooks only")
    parser.add_argument("--study", default="online_shopping")
    parser.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, 2))
    options = parser.parse_args()
    notebooks = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    if options.quick:
        notebooks = [path for path in notebooks if path.name[:2] in QUICK]
    only = [path.name[:2] for path in notebooks]
    warm, entries = study_run(options, only)
    plain, plain_entries = study_run(options, only, "--plain-kernels")
    print(f"{'seconds a notebook':36}{'study run':>11}{'plain':>9}{'papermill':>11}{'ratio':>8}")
    loop, most = 0.0, 0.0
    for path in notebooks:
        measured, name = papermill(options, path), path.stem
        loop, most = loop + measured.seconds, max(most, measured.peak_mb)
        ours, ordinary = entries[name]["seconds"], plain_entries[name]["seconds"]
        failed = "  failed" if measured.code or entries[name]["status"] == "failed" else ""
        print(
            f"{name:36}{ours:11.1f}{ordinary:9.1f}{measured.seconds:11.1f}"
            f"{measured.seconds / ours:7.1f}x{failed}",
            flush=True,
        )
    print(
        f"{'whole run, pages and all':36}{warm.seconds:11.1f}{plain.seconds:9.1f}{loop:11.1f}"
        f"{loop / warm.seconds:7.1f}x"
    )
    label = "peak memory, MB (PSS, all processes)"
    print(f"{label:36}{warm.peak_mb:11.0f}{plain.peak_mb:9.0f}{most:11.0f}")
    print(f"{options.workers} workers; papermill runs one notebook at a time and renders no page.")


if __name__ == "__main__":
    main()
