"""Reports a minute of ``study batch`` beside papermill, and what a long batch costs.

Parts (``--part``, all by default), each in one go on one machine::

    speed    the same notebooks with the same parameters: a loop of papermill commands, two
             ordinary kernels through papermill's API, our kernels alone, and study batch with
             one and two workers (which reads each notebook in both languages and writes pages)
    again    a second format and a second language of a finished batch: nothing is executed
    memory   200 small reports: memory of the parent, first against last hundred; private memory
             of a forked and of an ordinary kernel
    dask     what a report costs more on a cluster of one worker than on one worker here

Usage::

    python benchmarks/batch.py [--quick] [--part speed,again,memory,dask] [--study NAME]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import nbformat
import psutil

import helpers.report  # noqa: F401 - before nbformat, see there
from helpers.report.batch import runner
from helpers.report.batch.expand import expand
from helpers.report.batch.runner import run_batch
from helpers.report.batch.settings import read_batch
from helpers.report.execute import execute
from helpers.report.kernels import Kernels

ROOT = Path(__file__).parents[1]
PARTS = ("speed", "again", "memory", "dask")
LIGHT = ("00", "20")
"""Notebooks of little computing; in long ones the statistics take nearly all time."""
SMALL = "from helpers.lesson import begin\nlesson = begin(study, language)\nlesson.say(f'{n}')"
PRIVATE = """\
import pandas, scipy.stats, seaborn, statsmodels.api, semopy
text = open("/proc/self/smaps_rollup").read()
print(sum(int(l.split()[1]) for l in text.splitlines() if l.startswith("Private_")) / 1024)"""


def timed(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def sources() -> list[Path]:
    """Return the notebooks of the comparison."""
    return [next((ROOT / "notebooks").glob(f"{n}_*.ipynb")) for n in LIGHT]


def papermill_loop(study: str, folder: Path) -> None:
    """Run the notebooks one by one with the papermill command."""
    program = Path(sys.executable).with_name("papermill")
    for path in sources():
        command = [str(program), str(path), str(folder / path.name), "-p", "study", study]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def stock_pair(study: str, folder: Path) -> None:
    """Run the notebooks through papermill's API, two ordinary kernels at once."""
    import papermill

    def work(path: Path) -> None:
        papermill.execute_notebook(
            str(path), str(folder / path.name), {"study": study}, kernel_name="python3",
            progress_bar=False, cwd=None,
        )  # fmt: skip

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, sources()))


def study_batch(study: str, folder: Path, workers: int, *more: str) -> None:
    """Run ``study batch`` as a user does."""
    lines = [f"name: bench\nstudy: {study}\nnotebooks: [{', '.join(LIGHT)}]", *more]
    (folder / "bench.yml").write_text("\n".join(lines), encoding="utf-8")
    command = [
        sys.executable, "-m", "helpers.cli", "batch", str(folder / "bench.yml"),
        "--out", str(folder), "--workers", str(workers),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"study batch failed:\n{done.stderr}")


def speed(options: argparse.Namespace) -> None:
    """Print notebooks a minute of every way, and how much more that is than the loop's."""
    study, repeats = options.study, 3 if options.quick else 6
    asked = _questions(repeats)
    ways: dict[str, tuple[int, Callable[[Path], object]]] = {
        "papermill command, one by one": (1, lambda f: papermill_loop(study, f)),
        "papermill API, two kernels": (1, lambda f: stock_pair(study, f)),
        "our kernels alone, 1 worker": (repeats, lambda f: _alone(study, 1, repeats)),
        "our kernels alone, 2 workers": (repeats, lambda f: _alone(study, 2, repeats)),
        "study batch, 1 worker": (repeats, lambda f: study_batch(study, f, 1, asked)),
        "study batch, 2 workers": (
            repeats,
            lambda f: study_batch(study, f, 2, _questions(repeats)),
        ),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _round in range(1 if options.quick else 3):
        for name, (times, work) in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                each = timed(partial(work, Path(folder))) / (times * len(LIGHT))
            took[name].append(each)
    medians = {name: statistics.median(values) for name, values in took.items()}
    loop, pair = list(medians.values())[:2]
    print(f"{'':32}{'s/notebook':>11}{'nb/min':>9}{'x loop':>9}{'x pair':>9}")
    for name, each in medians.items():
        print(f"{name:32}{each:11.2f}{60 / each:9.1f}{loop / each:9.1f}{pair / each:9.1f}")


def _alone(study: str, workers: int, repeats: int) -> None:
    """Run the notebooks several times over in one set of kernels."""
    with Kernels() as kernels, ThreadPoolExecutor(workers) as pool:
        jobs = [
            pool.submit(execute, p, parameters={"study": study}, kernels=kernels, cwd=ROOT)
            for _time in range(repeats)
            for p in sources()
        ]
        if any(job.result().failure for job in jobs):
            raise SystemExit("a notebook failed")


def _questions(n: int) -> str:
    """Return a matrix that makes n different reports of equal work."""
    return f"matrix: {{question: [{', '.join(str(i) for i in range(n))}]}}"


def again(options: argparse.Namespace) -> None:
    """Print what a second format and a second language of a finished batch cost a report."""
    reports = 3 if options.quick else 6
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asked = _questions(reports)
        first = timed(lambda: study_batch(options.study, folder, 1, asked))
        docx = timed(lambda: study_batch(options.study, folder, 1, asked, "formats: [html, docx]"))
        pdf = timed(lambda: study_batch(options.study, folder, 1, asked, "formats: [html, pdf]"))
        zh = timed(lambda: study_batch(options.study, folder, 1, asked, "languages: [zh]"))
    start = timed(lambda: subprocess.run([sys.executable, "-c", "import helpers.report.run"]))
    print(
        f"\n{'seconds a report':32}{'whole':>11}{'a notebook':>12}   (start of {start:.1f} s apart)"
    )
    for label, seconds in (("first", first), ("then DOCX too", docx), ("then PDF too", pdf),
                           ("then Chinese", zh)):  # fmt: skip
        each = (seconds - start) / reports
        print(f"{label:32}{each:11.2f}{each / len(LIGHT):12.2f}")


@contextmanager
def small_project(*cells: str) -> Iterator[Path]:
    """Give a project with one small notebook and one small study."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        root = Path(name)
        study = "maxham_netemeyer_2003"
        shutil.copytree(ROOT / "data" / study, root / "data" / study)
        (root / "pyproject.toml").touch()
        (root / "notebooks").mkdir()
        kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
        book = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
        parameters = f'study: str = "{study}"\nlanguage: str = "en"\nn: int = 0'
        tag = {"tags": ["parameters"]}
        book.cells = [nbformat.v4.new_code_cell(parameters, metadata=tag)]
        book.cells += [nbformat.v4.new_code_cell(cell) for cell in cells]
        nbformat.write(book, root / "notebooks" / "10_small.ipynb")
        before, os.environ["STUDY_ROOT"] = os.environ.get("STUDY_ROOT"), str(root)
        try:
            yield root
        finally:
            del os.environ["STUDY_ROOT"]
            os.environ.update({"STUDY_ROOT": before} if before else {})


def many(root: Path, n: int, name: str = "many") -> tuple:
    """Return a batch of n small reports."""
    numbers = ", ".join(map(str, range(n)))
    text = f"name: {name}\nstudy: maxham_netemeyer_2003\nmatrix: {{n: [{numbers}]}}\n"
    (root / "b.yml").write_text(text, encoding="utf-8")
    batch = read_batch(root / "b.yml")
    return batch, expand(batch)


def memory(options: argparse.Namespace) -> None:
    """Print the parent's memory over a long batch, and a kernel's private memory."""
    n = 20 if options.quick else 200
    seen: list[float] = []
    me = psutil.Process()

    with small_project(SMALL) as root:
        batch, reports = many(root, n)
        make = runner.one_report

        def watched(*arguments: object) -> dict:
            line = make(*arguments)
            seen.append(me.memory_info().rss / 2**20)
            return line

        runner.one_report = watched
        try:
            outcome = run_batch(batch, reports, workers=2)
        finally:
            runner.one_report = make
        half = n // 2
        first, last = statistics.median(seen[:half]), statistics.median(seen[half:])
        print(f"\n{n} reports, {len(outcome.named('made'))} made, in {outcome.seconds:.0f} s")
        print(f"parent, MB: first half {first:.0f}, last half {last:.0f}, ratio {last / first:.3f}")
        size = sum(p.stat().st_size for p in batch.folder.rglob("*") if p.is_file()) / 2**20
        print(f"disk: {size / n:.2f} MB a report, kept notebooks included")
    with small_project(PRIVATE) as root:
        private = {}
        for kind in ("forked", "ordinary"):
            with Kernels(warm=kind == "forked") as kernels:
                path = root / "notebooks" / "10_small.ipynb"
                done = execute(path, parameters={}, kernels=kernels, cwd=root)
                private[kind] = float(done.notebook.cells[-1].outputs[-1].text)
        share = private["forked"] / private["ordinary"]
        print(f"private memory of a kernel, MB: {private}; forked / ordinary {share:.2f}")


def dask(options: argparse.Namespace) -> None:
    """Print what a report costs more on a cluster of one worker than here."""
    from distributed import LocalCluster

    n = 6 if options.quick else 30
    with small_project(SMALL) as root:
        here = run_batch(*many(root, n, "here"), workers=1)
        with LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster:
            there = run_batch(*many(root, n, "there"), scheduler=cluster.scheduler_address)
        sums = [{name: line["status"] for name, line in o.lines.items()} for o in (here, there)]
        pages = [
            sorted(p.read_bytes() for p in o.folder.rglob("10_small.html")) for o in (here, there)
        ]
    inside = [sum(line["seconds"] for line in o.lines.values()) for o in (here, there)]
    outside = [(o.seconds - within) / n for o, within in zip((here, there), inside)]
    print(
        f"\ndask, {n} reports: same outcome {sums[0] == sums[1]}, same pages {pages[0] == pages[1]}"
    )
    print(
        f"seconds a report beside the report itself: here {outside[0]:.3f}, dask {outside[1]:.3f}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round, few reports")
    parser.add_argument("--part", default=",".join(PARTS), help="which parts")
    parser.add_argument("--study", default="online_shopping")
    options = parser.parse_args()
    for part in options.part.split(","):
        globals()[part](options)


if __name__ == "__main__":
    main()
