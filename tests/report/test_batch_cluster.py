"""Contract: reports made by a Dask cluster are those made here; a scheduler that goes is named."""

import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial

import pytest

from helpers.errors import EstimationError
from helpers.report.batch import remote, runner
from helpers.report.batch.journal import read_journal
from helpers.report.kernels import Kernels

distributed = pytest.importorskip("distributed", reason="Dask is an optional extra (cluster)")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks on Linux only"),
]

FEW = ("ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "numpy",
       "matplotlib.pyplot", "matplotlib_inline.backend_inline")  # fmt: skip
WORK = "import numpy as np\nprint(np.random.default_rng(n_boot).random())"
CONFIG = "name: many\nstudy: toy\nmatrix: {n_boot: [1, 2, 3]}\n"


@pytest.fixture(scope="module")
def scheduler():
    """A cluster of one worker with two threads, in this process."""
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address
    for kernels in remote._mine:
        kernels.__exit__(None, None, None)
    remote._mine.clear()


@pytest.fixture(autouse=True)
def light(monkeypatch):
    """Start fork servers with the few libraries that these notebooks need."""
    for module in (runner, remote):
        monkeypatch.setattr(module, "Kernels", partial(Kernels, preload=FEW))


def pages(root):
    return {p.relative_to(root): p.read_bytes() for p in root.glob("toy/*/*_*.html")}


@pytest.mark.parametrize(
    "shared",
    [pytest.param(True, id="shared"), pytest.param(False, id="apart", marks=pytest.mark.slow)],
)
def test_the_cluster_makes_the_same_reports(project, study, scheduler, monkeypatch, shared):
    project.notebook("10_work", WORK)
    (project.root / "b.yml").write_text(CONFIG, encoding="utf-8")
    root = project.root / "reports" / "many"
    assert study("batch", str(project.root / "b.yml"))[0] == 0
    here = pages(root)
    shutil.rmtree(root)
    if not shared:
        make = remote.make_there
        monkeypatch.setattr(
            remote, "make_there", lambda report, terms, token: make(report, terms, "/nowhere")
        )
    code, out, err = study("batch", str(project.root / "b.yml"), "--scheduler", scheduler)
    assert code == 0, err
    assert pages(root) == here and len(here) == 3
    assert not list(root.glob(".shared-*"))
    assert "(3 kept)" in study("batch", str(project.root / "b.yml"), "--resume")[1]


def test_a_worker_with_other_code_is_refused(project, study, scheduler, monkeypatch):
    project.notebook("10_work", WORK)
    (project.root / "b.yml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.setattr(remote, "made_from", lambda _report: "other")
    code, _out, err = study("batch", str(project.root / "b.yml"), "--scheduler", scheduler)
    assert code == 1 and err.count("other data, code or versions") == 3


def test_no_scheduler_is_wrong_use(project, study, monkeypatch):
    project.notebook("10_work", WORK)
    (project.root / "b.yml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.setattr("helpers.cluster.CONNECT_SECONDS", 1)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    code, _out, err = study(
        "batch", str(project.root / "b.yml"), "--scheduler", f"tcp://127.0.0.1:{port}"
    )
    assert code == 2 and "cannot be reached" in err
    assert issubclass(EstimationError, ValueError)


@pytest.mark.slow
def test_a_scheduler_that_goes_away_is_named_and_resume_goes_on(project, study):
    hold = "import time\nfrom pathlib import Path\n"
    hold += "if n_boot > 1 and not Path('mended').exists():\n    time.sleep(600)"
    project.notebook("10_work", "print(n_boot)", hold)
    (project.root / "b.yml").write_text(CONFIG, encoding="utf-8")
    root = project.root / "reports" / "many"
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", str(port),
               "--host", "127.0.0.1", "--no-dashboard"]  # fmt: skip
    leader = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1",
               "--no-dashboard", "--death-timeout", "20"]  # fmt: skip
    worker = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def strike():
        while "n_boot=1" not in read_journal(root):
            time.sleep(0.2)
        leader.send_signal(signal.SIGKILL)

    try:
        threading.Thread(target=strike, daemon=True).start()
        code, _out, err = study("batch", str(project.root / "b.yml"), "--scheduler", address)
    finally:
        leader.kill()
        worker.terminate()
        worker.wait(timeout=60)
        leader.wait(timeout=60)
    assert code == 1 and "the scheduler went away" in err and "not made: n_boot=3" in err
    assert "without --scheduler" in err and "Traceback" not in err
    (project.root / "mended").touch()
    code, out, _err = study("batch", str(project.root / "b.yml"), "--resume")
    assert code == 0 and "(1 kept)" in out


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing_but_time(project, study):
    hold = "import time\nfrom pathlib import Path\nPath('begun').touch()\n"
    hold += "while not Path('mended').exists():\n    time.sleep(0.1)"
    project.notebook("10_work", "print(n_boot)", hold)
    (project.root / "b.yml").write_text(CONFIG, encoding="utf-8")
    with distributed.LocalCluster(n_workers=0, dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1",
                   "--no-nanny", "--no-dashboard", "--death-timeout", "20"]  # fmt: skip
        workers = [subprocess.Popen(command, stderr=subprocess.DEVNULL)]

        def strike():
            while not (project.root / "begun").exists():
                time.sleep(0.1)
            workers[0].send_signal(signal.SIGKILL)
            (project.root / "mended").touch()
            workers.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))

        try:
            threading.Thread(target=strike, daemon=True).start()
            code, _out, err = study("batch", str(project.root / "b.yml"), "--scheduler", address)
        finally:
            for worker in workers:
                worker.terminate()
                worker.wait(timeout=60)
    assert code == 0, err
    assert set(read_journal(project.root / "reports" / "many")) == {
        "n_boot=1",
        "n_boot=2",
        "n_boot=3",
    }
