"""Contract: a notebook that never ends, floods, grabs memory or leaves costs only its own page."""

import sys
import time

import pytest

from helpers.report.execute import execute
from helpers.report.kernels import Kernels
from helpers.report.limits import Limits

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of Linux")
FEW = ("ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "numpy",
       "matplotlib.pyplot", "matplotlib_inline.backend_inline")  # fmt: skip
FLOOD = "for _ in range(100):\n    print('x' * (1 << 20))"


@pytest.fixture(scope="module", params=["forked", "ordinary"])
def kernels(request):
    with Kernels(warm=request.param == "forked", preload=FEW) as found:
        yield found


def outcome(path, kernels, **options):
    return execute(path, parameters={}, kernels=kernels, cwd=path.parent, **options)


def text_of(done):
    return "".join(o.get("text", "") for c in done.notebook.cells for o in c.get("outputs", []))


def test_a_hundred_megabytes_of_print_are_cut_and_named(project, kernels):
    path = project.notebook("10_flood", "print('first')", FLOOD, "print('after')")
    done = outcome(path, kernels, limits=Limits(printed_mb=2))
    assert (done.failure.kind, done.failure.name) == ("error", "OutputTooLong")
    assert "printed more than 2 MB" in done.failure.message
    printed = text_of(done)
    assert printed.startswith("first\n") and "after" not in printed
    assert len(printed) <= 2 << 20


def test_a_flood_from_the_side_is_cut_too(project, kernels):
    shown = "display({'text/html': 'y' * (3 << 20)}, raw=True)"
    done = outcome(project.notebook("10_shown", shown), kernels, limits=Limits(shown_mb=2))
    assert done.failure.name == "OutputTooLong"
    assert "showed more than 2 MB" in done.failure.message


@pytest.mark.parametrize("leave", ["exit()", "quit()", "import sys; sys.exit()"])
def test_leaving_is_an_error_even_in_the_last_cell(project, kernels, leave):
    done = outcome(project.notebook("10_leaves", "print('before')", leave), kernels)
    assert done.failure.kind == "error"
    assert done.failure.name in ("NotebookExit", "SystemExit")
    assert text_of(done).startswith("before")


@linux
def test_memory_beyond_the_limit_is_refused(project, kernels):
    cells = "import numpy as np\nx = np.empty(10 << 20)", "y = np.empty(200 << 20)"
    path = project.notebook("10_greedy", *cells)
    done = outcome(path, kernels, limits=Limits(memory_mb=600))
    assert done.failure.name.endswith("MemoryError")
    assert done.failure.cell == 3  # the first allocation passed
    assert outcome(path, kernels, limits=Limits(memory_mb=6000)).failure is None


def test_without_time_no_kernel_is_started(project, kernels):
    done = outcome(project.notebook("10_next", "print('ran')"), kernels, seconds_left=0.0)
    assert done.failure.kind == "late" and "before it began" in done.failure.message
    assert text_of(done) == "" and done.seconds == 0.0


@pytest.mark.slow
def test_the_time_of_a_report_ends_its_kernel(project, kernels):
    path = project.notebook("10_endless", "print('begun')", "import time\ntime.sleep(100)")
    started = time.monotonic()
    done = outcome(path, kernels, seconds_left=2.5)
    assert done.failure.kind == "late"
    assert time.monotonic() - started < 30
    assert outcome(project.notebook("20_next", "print(42)"), kernels).failure is None
