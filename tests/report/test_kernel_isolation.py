"""Contract: forked kernels behave as ordinary ones, and leave nothing behind."""

import os
import signal
import stat
import sys
import time
from pathlib import Path

import pytest

from helpers.report import provisioner
from helpers.report.execute import execute
from helpers.report.kernels import Kernels
from helpers.report.provisioner import ask

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks on Linux only")

FEW = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "numpy",
    "matplotlib.pyplot", "matplotlib_inline.backend_inline", "pandas",
)  # fmt: skip

NUMBERS = """\
import os, sys, threading
import numpy as np, pandas as pd, matplotlib.pyplot as plt
rng = np.random.default_rng(7)
x = rng.normal(size=(200, 40))
print(repr(float(np.linalg.slogdet(x.T @ x)[1])), hash("recovery") % 997, list({"a", "b", "c"}))
print(plt.get_backend()[-6:], plt.rcParams["figure.dpi"], plt.rcParams["figure.figsize"])
print(pd.options.display.precision, os.environ["OMP_NUM_THREADS"], os.getcwd())
get_ipython().run_line_magic("who_ls", "")"""

DIRTY = """\
import builtins, os, random
import numpy as np, pandas as pd, matplotlib.pyplot as plt
builtins.leaked = 1
os.environ["LEAKED"] = "1"
pd.set_option("display.precision", 2)
plt.rcParams["figure.dpi"] = 33
plt.figure()
np.random.seed(1); random.seed(1)
os.chdir("/")
handle = open("/dev/null")
print(np.random.rand())"""

CLEAN = """\
import builtins, os, random, sys, threading
import numpy as np, pandas as pd, matplotlib.pyplot as plt
print(hasattr(builtins, "leaked"), "LEAKED" in os.environ, pd.options.display.precision)
print(plt.rcParams["figure.dpi"] == 33, plt.get_fignums(), "leaked" in globals())
print(os.getcwd() == "/", os.environ.get("OPENBLAS_NUM_THREADS"))
print("random", np.random.rand(), random.random())"""


@pytest.fixture(scope="module")
def warm():
    with Kernels(preload=FEW) as kernels:
        kernels.name()
        assert kernels.why_plain == ""
        yield kernels


def printed(path, kernels, **options):
    done = execute(path, parameters={}, kernels=kernels, cwd=path.parent, **options)
    assert done.failure is None, done.failure
    outputs = [o for c in done.notebook.cells for o in c.get("outputs", [])]
    return "".join(o.get("text", "") or o["data"]["text/plain"] for o in outputs)


def test_forked_and_ordinary_kernels_give_the_same(project, warm):
    path = project.notebook("10_numbers", NUMBERS)
    with Kernels(warm=False) as plain:
        assert plain.name() == "study-plain"
        assert printed(path, plain) == printed(path, warm)


def test_nothing_leaks_from_one_notebook_to_the_next(project, warm):
    dirty, clean = project.notebook("10_dirty", DIRTY), project.notebook("20_clean", CLEAN)
    printed(dirty, warm)
    first, second = printed(clean, warm), printed(clean, warm)
    facts = "False False 6\nFalse [] False\nFalse 1\n"
    assert first.startswith(facts) and second.startswith(facts)
    assert first != second  # unseeded random numbers differ from kernel to kernel


def test_a_killed_kernel_costs_only_its_notebook(project, warm):
    killed = project.notebook("10_killed", "print('before')", "import os; os.kill(os.getpid(), 9)")
    done = execute(killed, parameters={}, kernels=warm, cwd=project.root)
    assert done.failure.kind == "killed"
    assert done.notebook.cells[2].outputs[0].text == "before\n"
    assert "42" in printed(project.notebook("20_next", "print(42)"), warm)


def test_a_cell_without_end_is_stopped(project, warm):
    endless = project.notebook("10_endless", "import time; time.sleep(60)")
    started = time.monotonic()
    done = execute(endless, parameters={}, kernels=warm, cwd=project.root, cell_seconds=1)
    assert done.failure.kind == "timeout"
    assert time.monotonic() - started < 20


def test_the_socket_is_private_and_gone_with_the_run():
    with Kernels(preload=FEW[:3]) as kernels:
        kernels.name()
        folder, server = kernels.folder, kernels._server.pid
        socket = folder / "fork.sock"
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        env = {**os.environ, "HOME": "/nonexistent"}
        log = str(folder / "kernels.log")
        child = ask(str(socket), op="launch", argv=["-f", str(folder / "k.json")], cwd=str(folder),
                    env=env, log=log)["pid"]  # fmt: skip
        kernels._server.stdin.close()
        kernels._server.wait(timeout=10)
        assert not socket.exists()
        assert not _alive(child), "a kernel outlived its server"
    assert not folder.exists()
    assert not _alive(server)


def test_without_the_server_a_kernel_starts_the_slow_way(project):
    path = project.notebook("10_slow", "print(6 * 7)")
    with Kernels(preload=["sys", "no_such_module"]) as kernels:
        kernels.name()
        kernels._server.kill()
        kernels._server.wait()
        assert printed(path, kernels) == "42\n"


def test_a_killed_server_takes_its_kernels_along(project):
    """As when memory runs out: what was forked must not stay behind."""
    kill = "import os, signal, time\nopen('pid', 'w').write(str(os.getpid()))"
    path = project.notebook(
        "10_kill", kill, "os.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(60)"
    )
    with Kernels(preload=FEW) as kernels:
        done = execute(path, parameters={}, kernels=kernels, cwd=project.root)
    assert done.failure.kind == "killed"
    assert not _alive(int((project.root / "pid").read_text()))


@pytest.mark.slow
def test_a_server_that_stops_answering_is_left_behind(project, monkeypatch):
    """A notebook may stop its parent; the batch must not wait for it for ever."""
    monkeypatch.setattr(provisioner, "ANSWER_SECONDS", 0.5)
    path = project.notebook("10_next", "print(6 * 7)")
    with Kernels(preload=["sys"]) as kernels:
        kernels.name()
        os.kill(kernels._server.pid, signal.SIGSTOP)
        assert printed(path, kernels) == "42\n"
        with pytest.raises(FileNotFoundError):  # nobody waits for it a second time
            ask(str(kernels.folder / "fork.sock"), op="poll", pid=1)


def test_a_server_that_does_not_start_is_said(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Kernels() as kernels:
        assert kernels.name() == "study-plain"
        assert kernels.why_plain == "the fork server did not start"


def test_no_server_starts_before_a_kernel_is_asked_for_nor_after_the_end():
    with Kernels(preload=["sys"]) as kernels:
        assert kernels._server is None
        kernels.begin()
        first = kernels._server
        kernels.begin()
        assert kernels._server is first
    kernels.begin()
    assert kernels._server is None


@pytest.mark.parametrize("warm", [True, False])
def test_a_kernel_that_dies_before_it_answers_is_named(project, warm):
    path = project.notebook("10_dead", "print(1)")
    with Kernels(warm=warm, preload=FEW[:3]) as kernels:
        startup = kernels.folder / "ipython" / "profile_default" / "startup"
        (startup / "01-end.py").write_text("import os\nos._exit(3)\n")
        found = execute(path, parameters={}, kernels=kernels, cwd=project.root)
    assert found.failure.kind == "start"
    assert "died before replying" in found.failure.message


def _alive(pid):
    """Tell whether a process runs (one that only waits to be collected does not)."""
    for _attempt in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        if state == "Z":
            return False
        time.sleep(0.1)
    return True


OPEN = """\
import os, sys, threading
held = [open("/dev/null") for _ in range(5)]
reader, writer = os.pipe()
threading.Thread(target=threading.Event().wait, daemon=True).start()
sys.modules["leaked_module"] = sys
sys.path.insert(0, "/leaked")
os.environ["OMP_NUM_THREADS"] = "7\""""

COUNT = """\
import os, sys, threading
held = [os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")]
print(sum(path == "/dev/null" or "pipe:" in path for path in held) if n_boot else 0)
print("leaked_module" in sys.modules, "/leaked" in sys.path, os.environ["OMP_NUM_THREADS"])
from threadpoolctl import threadpool_info
print(max([found["num_threads"] for found in threadpool_info()], default=1))"""


def test_open_files_modules_and_threads_stay_with_their_notebook(project, warm):
    dirty, count = project.notebook("10_open", OPEN), project.notebook("20_count", COUNT)
    before = printed(count, warm)
    printed(dirty, warm)
    assert printed(count, warm) == before
    assert before.splitlines()[1:] == ["False False 1", "1"]


@pytest.mark.slow
def test_a_report_in_a_long_batch_starts_as_the_first_did(project, warm):
    """Descriptors of the server itself do not grow from kernel to kernel either."""
    path = project.notebook("10_n", "print(1)")
    printed(path, warm)
    server = f"/proc/{warm._server.pid}/fd"
    before = len(os.listdir(server))
    for _time in range(5):
        printed(path, warm)
    assert len(os.listdir(server)) == before
