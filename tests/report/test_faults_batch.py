"""Contract: whatever happens to a batch, finished reports are whole and --resume makes the rest."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from helpers.report import folder
from helpers.report.batch import line, runner
from helpers.report.batch.journal import read_journal
from helpers.report.kernels import Kernels

pytestmark = pytest.mark.slow

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and folders of POSIX")
SECONDS = 90
FEW = ("ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "numpy",
       "matplotlib.pyplot", "matplotlib_inline.backend_inline")  # fmt: skip
CONFIG = "name: many\nstudy: toy\nmatrix: {n_boot: [1, 2, 3]}\nworkers: 1\n"
BEGIN = "from pathlib import Path\nprint(n_boot)"


class Lent:
    """One fork server of few libraries, lent to one batch after the other; renewed if stopped."""

    def __init__(self):
        self.kernels = None

    def __call__(self, *, warm, at_once):
        self.at_once = at_once
        return self

    def __enter__(self):
        if self.kernels is None or self.kernels._server is None:
            self.close()
            self.kernels = Kernels(preload=FEW)
            self.kernels.__enter__()
        self.kernels.place = threading.Semaphore(self.at_once)
        return self.kernels

    def __exit__(self, *_error):
        return None

    def close(self):
        if self.kernels is not None:
            self.kernels.__exit__(None, None, None)


@pytest.fixture(scope="module")
def lent():
    kernels = Lent()
    yield kernels
    kernels.close()


@pytest.fixture(autouse=True)
def light(monkeypatch, lent):
    """Let the batches of this file share a server: what they test is not its start."""
    monkeypatch.setattr(runner, "Kernels", lent)


def config(project, text=CONFIG, **more):
    lines = "".join(f"{key}: {value}\n" for key, value in more.items())
    path = project.root / "b.yml"
    path.write_text(text + lines, encoding="utf-8")
    return str(path)


def many(project):
    return project.root / "reports" / "many"


def states(project):
    return {name: line["status"] for name, line in read_journal(many(project)).items()}


def manifests(project):
    return {p.parent.name: p.read_bytes() for p in many(project).glob("toy/*/manifest.json")}


def page(project, report, name="10_work.html"):
    return (many(project) / "toy" / report / name).read_text(encoding="utf-8")


def whole(project, report):
    """Tell whether a report's pages stand and hold its number."""
    return page(project, report).rstrip().endswith("</html>") and report[-1] in page(
        project, report
    )


def test_a_notebook_that_fails_costs_its_report_and_resume_makes_it(project, study):
    project.notebook("10_work", BEGIN, "assert n_boot != 2 or Path('mended').exists(), 'broken'")
    code, _out, err = study("batch", config(project))
    assert code == 1
    assert "failed: n_boot=2 10_work: AssertionError: broken" in err
    assert states(project) == {"n_boot=1": "made", "n_boot=2": "failed", "n_boot=3": "made"}
    index = (many(project) / "index.html").read_text(encoding="utf-8")
    assert "AssertionError: broken" in index and 'href="toy/n_boot%3D2/10_work.html"' in index
    before = manifests(project)
    (project.root / "mended").touch()
    code, out, err = study("batch", config(project), "--resume")
    assert code == 0 and "3 made (2 kept)" in out and err == ""
    after = manifests(project)
    assert {n for n in after if after[n] != before[n]} == {"n_boot=2"}


@posix
@pytest.mark.parametrize(
    ("deed", "told"),
    [
        ("import os; os.kill(os.getpid(), 9)", "DeadKernelError"),
        ("exit()", "NotebookExit"),
        ("for _ in range(100): print('x' * (1 << 20))", "OutputTooLong"),
    ],
)
def test_a_kernel_that_dies_leaves_or_floods_costs_its_report(project, study, deed, told):
    mended = "if n_boot == 2 and not Path('mended').exists():\n    " + deed
    project.notebook("10_work", BEGIN, mended)
    code, _out, err = study("batch", config(project))
    assert code == 1 and f"failed: n_boot=2 10_work: {told}" in err
    assert whole(project, "n_boot=1") and whole(project, "n_boot=3")
    (project.root / "mended").touch()
    assert study("batch", config(project), "--resume")[0] == 0
    assert whole(project, "n_boot=2")


def test_a_notebook_that_never_ends_is_ended(project, study):
    endless = "import time\nwhile n_boot == 2 and not Path('mended').exists():\n    time.sleep(0.1)"
    project.notebook("10_work", BEGIN, endless)
    project.notebook("20_more", BEGIN)
    started = time.monotonic()
    code, _out, err = study("batch", config(project, timeout_s=3))
    assert code == 1 and "failed: n_boot=2 10_work: ReportTimeout" in err
    assert time.monotonic() - started < SECONDS
    assert whole(project, "n_boot=1") and whole(project, "n_boot=3")
    (project.root / "mended").touch()
    assert study("batch", config(project, timeout_s=60), "--resume")[0] == 0


def test_the_start_of_the_fork_server_is_not_a_reports_time(project, study, monkeypatch):
    """On a busy machine it takes longer than a short report may."""
    ready, waits = Kernels.name, [13]

    def slow(self):
        time.sleep(waits.pop() if waits else 0)
        return ready(self)

    monkeypatch.setattr(Kernels, "name", slow)
    project.notebook("10_work", BEGIN)
    project.notebook("20_more", BEGIN)
    text = "name: many\nstudy: toy\nmatrix: {n_boot: [1]}\nworkers: 1\n"
    code, _out, err = study("batch", config(project, text, timeout_s=12))
    assert (code, err) == (0, "")


def start(project, *more):
    command = [sys.executable, "-m", "helpers.cli", "batch", str(project.root / "b.yml"), *more]
    env = {**os.environ, "STUDY_ROOT": str(project.root)}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)  # fmt: skip


def wait_for(condition):
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


@posix
@pytest.mark.parametrize(
    "blow", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)], ids=str
)
def test_a_batch_that_is_stopped_goes_on_where_it_was(project, study, blow):
    # The third: of the first two, which start together, either may have the only place first.
    hold = "import time\nif n_boot == 3 and not Path('mended').exists():\n    time.sleep(600)"
    project.notebook("10_work", BEGIN, hold)
    config(project)
    process = start(project)
    try:
        wait_for(lambda: len(states(project)) == 2)
        wait_for(lambda: (many(project) / "toy" / "n_boot=3").exists())
        process.send_signal(blow)
        process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    assert process.returncode == (130 if blow == signal.SIGINT else -signal.SIGKILL)
    assert states(project) == {"n_boot=1": "made", "n_boot=2": "made"}
    assert whole(project, "n_boot=1") and whole(project, "n_boot=2")
    before = manifests(project)["n_boot=1"]
    (project.root / "mended").touch()
    code, out, _err = study("batch", config(project), "--resume")
    assert code == 0 and "(2 kept)" in out
    assert manifests(project)["n_boot=1"] == before
    assert all(whole(project, f"n_boot={n}") for n in (1, 2, 3))


def test_the_index_says_why_a_report_holds_no_result(project, study):
    stops = "from helpers import lesson\nfrom helpers.errors import Unavailable\n"
    project.notebook("10_work", stops + "lesson._stop(Unavailable('rows', 'there are none'))")
    code, out, _err = study("batch", config(project))
    assert code == 0 and "3 without a result" in out
    index = (many(project) / "index.html").read_text(encoding="utf-8")
    assert index.count("Not available: rows, because there are none.") == 3


def test_a_torn_line_of_the_journal_counts_as_not_there(project, study):
    project.notebook("10_work", BEGIN)
    assert study("batch", config(project))[0] == 0
    journal = many(project) / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    code, out, _err = study("batch", config(project), "--resume")
    assert code == 0 and "(2 kept)" in out
    lines = journal.read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[-1])["report"] == "n_boot=3" and len(lines) == 4


@pytest.mark.parametrize("name", ["manifest.json", "10_work.html"])
def test_a_report_whose_files_were_touched_is_made_again(project, study, name):
    project.notebook("10_work", BEGIN)
    study("batch", config(project))
    (many(project) / "toy" / "n_boot=2" / name).write_text("{}", encoding="utf-8")
    code, out, _err = study("batch", config(project), "--resume")
    assert code == 0 and "(2 kept)" in out and whole(project, "n_boot=2")


def test_a_second_batch_into_the_folder_is_refused(project, study):
    project.notebook("10_work", BEGIN)
    many(project).mkdir(parents=True)
    with folder.locked(many(project)):
        code, _out, err = study("batch", config(project))
    assert code == 2 and "another run is writing reports/many" in err
    assert not (many(project) / "journal.jsonl").exists()
    assert study("batch", config(project))[0] == 0


@posix
def test_a_folder_that_cannot_be_written_is_refused_before_anything_runs(project, study):
    project.notebook("10_work", "Path('ran').touch()")
    (project.root / "reports").mkdir()
    (project.root / "reports" / "many").touch()  # a file where the folder should be
    code, _out, err = study("batch", config(project))
    assert code == 2 and "cannot be written" in err and not (project.root / "ran").exists()


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="mounting needs root"
)
def test_a_full_disk_ends_the_batch_and_keeps_what_was_finished(project, study):
    project.notebook("10_work", BEGIN)
    small = project.root / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        where = small / "many"
        filler = small / "filler"
        _fill_after_first(where, filler)
        code, out, err = study("batch", config(project, out="small"))
        assert code == 1, out
        assert "No space left on device" in err and "not made: n_boot=3" in err
        found = {n: line["status"] for n, line in read_journal(where).items()}
        assert found["n_boot=1"] == "made"
        finished = where / "toy" / "n_boot=1" / "10_work.html"
        assert finished.read_text(encoding="utf-8").rstrip().endswith("</html>")
        filler.unlink()
        subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
        code, out, _err = study("batch", config(project, out="small"), "--resume")
        assert code == 0 and "3 made (1 kept)" in out
    finally:
        subprocess.run(["umount", str(small)], check=True)


def _fill_after_first(where: Path, filler: Path) -> None:
    """Fill the disk, from another thread, as soon as the first report stands in the journal."""

    def fill() -> None:
        wait_for(lambda: "n_boot=1" in read_journal(where))
        with filler.open("wb", buffering=0) as handle:
            try:
                while True:
                    handle.write(bytes(4096))
            except OSError:
                return

    threading.Thread(target=fill, daemon=True).start()


def test_what_depends_on_nothing_new_is_kept_and_reasons_are_told(project, study):
    project.notebook("10_work", BEGIN)
    assert study("batch", config(project))[0] == 0
    code, out, _err = study("batch", config(project), "--resume")
    assert code == 0 and "(3 kept)" in out
    project.notebook("10_work", BEGIN, "print('more')")
    code, out, _err = study("batch", config(project), "--resume")
    assert code == 0 and "n_boot=1: notebook changed (10)" in out and "kept" not in out


def test_a_limit_that_this_system_cannot_hold_is_told(project, study, monkeypatch):
    project.notebook("10_work", BEGIN)
    monkeypatch.setattr(runner, "_HOLDS_MEMORY", False)
    code, out, _err = study("batch", config(project, memory_mb=4000))
    assert code == 0 and "only Linux holds a kernel to it" in out


@pytest.mark.slow
def test_reports_run_side_by_side_give_the_same(project, study):
    project.notebook(
        "10_work", BEGIN, "import numpy as np\nprint(np.random.default_rng(n_boot).random())"
    )
    study("batch", config(project), "--workers", "1")
    alone = {n: page(project, f"n_boot={n}") for n in (1, 2, 3)}
    shutil.rmtree(many(project))
    assert study("batch", config(project), "--workers", "3")[0] == 0
    assert {n: page(project, f"n_boot={n}") for n in (1, 2, 3)} == alone


def test_the_runner_gives_lines_in_any_order_but_tells_all(project, study, monkeypatch):
    project.notebook("10_work", BEGIN)
    monkeypatch.setattr(line, "make_report", _breaks)
    code, _out, err = study("batch", config(project))
    assert code == 1 and err.count("failed: n_boot=") == 3 and "no such study" in err


def _breaks(*_arguments):
    """Stand for a report that cannot be begun."""
    from helpers.errors import ReportError

    raise ReportError("no such study")


def test_two_languages_and_a_second_format_come_from_one_execution(project, study):
    count = "import os\nos.close(os.open('kernels', os.O_CREAT))\n"
    count += "with open('kernels', 'a') as log:\n    log.write(f'{os.getpid()}\\n')"
    project.notebook("10_work", BEGIN, count)
    text = "name: many\nstudy: toy\nlanguages: [en, zh]\n"
    assert study("batch", config(project, text), "--workers", "2")[0] == 0
    ran = (project.root / "kernels").read_text().splitlines()
    assert len(set(ran)) == 1  # one kernel, in which the notebook was read once a language
    code, out, _err = study("batch", config(project, text, formats="[html, docx]"), "--resume")
    assert code == 0 and "kept" not in out
    assert (project.root / "kernels").read_text().splitlines() == ran
    for report in ("language=en", "language=zh"):
        assert (many(project) / "toy" / report / "10_work.docx").is_file()
    assert 'lang="zh-CN"' in page(project, "language=zh")
