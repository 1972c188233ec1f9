"""Reports a minute of ``study batch`` beside papermill, and what a long batch costs.

Parts (``--part``, all by default), each in one go on one machine::

    speed    the same notebooks with the same parameters: a loop of papermill commands, two
             ordinary kernels through papermill's API, our kernels (all these in one language,
             without pages), and study batch (both languages, and pages); loop and pair are
             sampled once a round, ours runs over many reports; what a batch costs once (start of
             the server, one first report) is taken off and told apart
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
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
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
            progress_bar=False, cwd=str(ROOT),
        )  # fmt: skip

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, sources()))


def our_kernels(study: str, kernels: Kernels, *, workers: int, repeats: int) -> None:
    """Run the notebooks several times over, in one language, and write nothing."""
    with ThreadPoolExecutor(workers) as pool:
        jobs = [
            pool.submit(execute, p, parameters={"study": study}, kernels=kernels, cwd=ROOT)
            for _time in range(repeats)
            for p in sources()
        ]
        if any(job.result().failure for job in jobs):
            raise SystemExit("a notebook failed")


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


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the clock, and of all processors together."""

    wall: float
    cpu: float

    def less(self, other: Cost, n: int) -> Cost:
        """Return the share of each of n pieces of work, another cost taken off."""
        return Cost((self.wall - other.wall) / n, (self.cpu - other.cpu) / n)


NOTHING = Cost(0.0, 0.0)


def cost(work: Callable[[], object]) -> Cost:
    """Return what some work costs, with the processes that it starts and that end with it."""

    def spent() -> float:
        kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, kinds))

    before = spent()
    wall = timed(work)
    return Cost(wall, spent() - before)


def batch_cost(study: str, workers: int, repeats: int) -> Cost:
    """Return what ``study batch`` over so many reports costs."""
    with tempfile.TemporaryDirectory() as folder:
        asked = _questions(repeats)
        return cost(partial(study_batch, study, Path(folder), workers, asked))


def stock_cost(work: Callable[[str, Path], None], study: str) -> Cost:
    """Return what each notebook costs in a way that keeps nothing warm."""
    with tempfile.TemporaryDirectory() as folder:
        return cost(partial(work, study, Path(folder))).less(NOTHING, len(LIGHT))


def kernels_cost(study: str, workers: int, repeats: int) -> Cost:
    """Return what each notebook costs in our kernels, their server running already."""

    def once() -> None:
        with Kernels() as kernels:
            kernels.open_ahead(study)
            seconds.append(timed(partial(our_kernels, study, kernels, **asked)))

    seconds: list[float] = []
    asked = {"workers": workers, "repeats": repeats}
    with_start = cost(once)
    n = repeats * len(LIGHT)
    return Cost(seconds[0] / n, (with_start.cpu - server_start().cpu) / n)


@cache
def server_start() -> Cost:
    """Return what starting the fork server costs, once a batch."""

    def once() -> None:
        with Kernels() as kernels:
            kernels.name()

    return cost(once)


def speed(options: argparse.Namespace) -> None:
    """Print notebooks a minute of every way, and how much more that is than the loop's."""
    study, repeats = options.study, 6 if options.quick else 12
    rounds = 1 if options.quick else 3
    firsts: list[Cost] = []

    def batch_each(workers: int) -> Cost:
        more = (repeats - 1) * len(LIGHT)
        firsts.append(batch_cost(study, workers, 1))
        return batch_cost(study, workers, repeats).less(firsts[-1], more)

    ways: dict[str, Callable[[], Cost]] = {
        "papermill command, one by one": lambda: stock_cost(papermill_loop, study),
        "papermill API, two kernels": lambda: stock_cost(stock_pair, study),
        "our kernels, 1 worker": lambda: kernels_cost(study, 1, repeats),
        "our kernels, 2 workers": lambda: kernels_cost(study, 2, repeats),
        "study batch, 1 worker": lambda: batch_each(1),
        "study batch, 2 workers": lambda: batch_each(2),
    }
    took: dict[str, list[Cost]] = {name: [] for name in ways}
    for _round in range(rounds):
        for name, way in ways.items():
            took[name].append(way())
    wall = {name: statistics.median(c.wall for c in costs) for name, costs in took.items()}
    cpu = {name: statistics.median(c.cpu for c in costs) for name, costs in took.items()}
    loop, pair = list(wall.values())[:2]
    print(f"{repeats} reports of notebooks {', '.join(LIGHT)}, {rounds} rounds, medians")
    print(
        f"{'':32}{'s/notebook':>11}{'nb/min':>8}{'x loop':>8}{'x pair':>8}{'CPU s':>8}{'x loop':>8}"
    )
    for name, each in wall.items():
        more = f"{cpu[name]:8.2f}{list(cpu.values())[0] / cpu[name]:8.1f}"
        print(f"{name:32}{each:11.2f}{60 / each:8.1f}{loop / each:8.1f}{pair / each:8.1f}{more}")
    print(
        f"apart, once a batch: start of the fork server {server_start().wall:.1f} s "
        f"({server_start().cpu:.1f} CPU s); a batch of one report "
        f"{statistics.median(c.wall for c in firsts):.1f} s"
    )


def _questions(n: int) -> str:
    """Return a matrix that makes n different reports of equal work."""
    return f"matrix: {{question: [{', '.join(str(i) for i in range(n))}]}}"


def again(options: argparse.Namespace) -> None:
    """Print what a second format and a second language of a finished batch cost a report."""
    reports = 3 if options.quick else 6
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asked = _questions(reports)
        more = {
            "first": (),
            "then DOCX too": ("formats: [html, docx]",),
            "then PDF too": ("formats: [html, pdf]",),
            "then Chinese": ("languages: [zh]",),
        }
        took = {
            label: cost(partial(study_batch, options.study, folder, 1, asked, *lines))
            for label, lines in more.items()
        }
    start = cost(
        lambda: subprocess.run([sys.executable, "-c", "import helpers.report.run"], check=True)
    )
    print(f"\n{'seconds a report':32}{'whole':>11}{'a notebook':>12}{'CPU s':>8}")
    for label, whole in took.items():
        each = whole.less(start, reports)
        print(f"{label:32}{each.wall:11.2f}{each.wall / len(LIGHT):12.2f}{each.cpu:8.2f}")
    print(f"apart, once a call: start of the command {start.wall:.1f} s")


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
