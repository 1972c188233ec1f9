"""Blocks on a Dask cluster: equal numbers, a killed worker, a scheduler out of reach."""

import os
import signal
import socket
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest

from helpers import cluster
from helpers.errors import EstimationError
from helpers.sem.bootstrap import bootstrap
from helpers.sem.fit import fit
from helpers.sem.power_analysis import power
from helpers.sem.specification_curve import specification_curve
from helpers.survey.load import load_study
from helpers.workers import run_blocks

pytestmark = pytest.mark.slow  # processes of a cluster start

BLOCKS_MODULE = """
import os, pathlib, time
import numpy as np

def draw(seed):
    return np.random.default_rng(seed).normal(size=3)

def slow(folder, x):
    (pathlib.Path(folder) / f"worker-{os.getpid()}").touch()
    time.sleep(0.1)
    with open(pathlib.Path(folder) / "log", "a") as log:
        log.write(f"{x}\\n")
    return x * x

def refuse(x):
    from helpers.errors import EstimationError
    raise EstimationError(f"block {x}")
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def distributed():
    return pytest.importorskip("distributed", reason="Dask is an optional extra (cluster)")


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    """A module that workers can import, as an installed package would be."""
    folder = tmp_path_factory.mktemp("module")
    (folder / "cluster_blocks.py").write_text(BLOCKS_MODULE)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), *sys.path]))
    sys.path.insert(0, str(folder))
    import cluster_blocks

    yield cluster_blocks
    sys.path.remove(str(folder))
    os.environ.pop("PYTHONPATH")
    if before is not None:
        os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="module")
def local_cluster(distributed, blocks):
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit=0
    ) as running:
        yield running


def test_numbers_are_those_of_a_serial_run(local_cluster, blocks):
    address = local_cluster.scheduler_address
    found = run_blocks(blocks.draw, list(range(9)), scheduler=address)
    assert np.array_equal(found, run_blocks(blocks.draw, list(range(9))))


def test_a_specification_curve_is_the_same_on_a_cluster(local_cluster, blocks):
    study = load_study("ecsi_mobile")
    here = specification_curve(study, estimators=["ML"])
    there = specification_curve(study, estimators=["ML"], scheduler=local_cluster.scheduler_address)
    pd.testing.assert_frame_equal(there.table, here.table, check_exact=True)


def test_a_bootstrap_is_the_same_on_a_cluster(local_cluster, blocks):
    study = load_study("ecsi_mobile")
    fitted = fit(study.spec.models["mediation_partial"].syntax, study.responses)
    options = {"n_boot": 300, "seed": 1, "ci": "bca"}
    here = bootstrap(fitted, **options)
    for elsewhere in ({"scheduler": local_cluster.scheduler_address}, {"workers": 2}):
        there = bootstrap(fitted, **options, **elsewhere)
        pd.testing.assert_frame_equal(there.estimates, here.estimates, check_exact=True)
        pd.testing.assert_frame_equal(there.standardized, here.standardized, check_exact=True)


def test_a_power_grid_is_the_same_on_a_cluster(local_cluster, blocks):
    options = {"n_obs": [60, 120], "method": "montecarlo", "n_sets": 100, "seed": 1}
    here = power("y ~ 0.3*x", "y ~ x", **options)
    there = power("y ~ 0.3*x", "y ~ x", scheduler=local_cluster.scheduler_address, **options)
    pd.testing.assert_frame_equal(there.table, here.table, check_exact=True)


def test_a_killed_worker_loses_no_finished_block(local_cluster, blocks, tmp_path):

    function = partial(blocks.slow, str(tmp_path))
    counts = []

    def kill_after_some(done, total):
        counts.append(done)
        if done == 6:
            victim = next(tmp_path.glob("worker-*")).name.split("-")[1]
            os.kill(int(victim), signal.SIGKILL)

    found = run_blocks(
        function, list(range(20)), scheduler=local_cluster.scheduler_address,
        keep=tmp_path / "kept", progress=kill_after_some,
    )  # fmt: skip
    assert found == [x * x for x in range(20)]
    assert counts == list(range(1, 21))
    assert len(list(tmp_path.glob("worker-*"))) >= 2  # a third only if it is back in time
    before = (tmp_path / "log").read_text()
    assert run_blocks(function, list(range(20)), keep=tmp_path / "kept") == found
    assert (tmp_path / "log").read_text() == before


def test_what_a_block_raises_is_passed_on(local_cluster, blocks):
    with pytest.raises(EstimationError, match="block 4"):
        run_blocks(blocks.refuse, [4], scheduler=local_cluster.scheduler_address)


def test_a_scheduler_without_workers_is_an_error(distributed, blocks, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    empty = distributed.LocalCluster(n_workers=0, dashboard_address=":0")
    with empty, pytest.raises(EstimationError, match="has no workers.*leave scheduler= out"):
        run_blocks(blocks.draw, [1], scheduler=empty.scheduler_address)


@pytest.mark.parametrize(
    "form", ["tcp://127.0.0.1:{port}", "127.0.0.1:{port}", "nonsense://x", "not an address"]
)
def test_a_scheduler_out_of_reach_is_an_error_that_offers_this_machine(
    distributed, blocks, monkeypatch, form
):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(EstimationError, match="cannot be reached.*leave scheduler= out"):
        run_blocks(blocks.draw, [1], scheduler=form.format(port=free_port()))


def test_without_dask_the_error_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EstimationError, match=r"\[cluster\].*leave scheduler= out"):
        run_blocks(abs, [-1], scheduler="tcp://127.0.0.1:8786")
