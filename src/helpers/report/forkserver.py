"""A process that has imported the scientific libraries and forks notebook kernels from itself.

Run as ``python -P -m helpers.report.forkserver SOCKET MODULE ...``. It prints ``ready`` when the
modules are imported, then answers one JSON line a connection on a Unix socket (mode 0600) until
its standard input closes, which happens at the latest when its owner dies; it then kills what it
forked. Two facts shape it. A forked copy of a process with threads can hang, so BLAS and OpenMP
get one thread before anything is imported, and the server refuses to start with more than one
thread. A forked copy inherits the state of random generators, so every child seeds anew.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import random
import selectors
import shutil
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PRIVATE = "study-"
"""How the name of a run's temporary folder begins."""

_PARENT_DEATH_SIGNAL = 1
"""``PR_SET_PDEATHSIG`` of Linux."""

_THREAD_COUNTS = "OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS BLIS_NUM_THREADS"
ONE_THREAD = dict.fromkeys(_THREAD_COUNTS.split(), "1")

LIBRARIES = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "matplotlib.pyplot",
    "matplotlib_inline.backend_inline", "numpy", "pandas", "scipy.stats", "scipy.optimize",
    "seaborn", "statsmodels.api", "statsmodels.formula.api", "semopy", "tornado.platform.asyncio",
    "tornado.queues", "IPython.core.debugger", "IPython.core.oinspect", "IPython.core.completerlib",
    "IPython.extensions.storemagic", "IPython.utils.module_paths", "sqlite3",
)  # fmt: skip
"""Imported before the first fork. The project's own modules follow: the server lives for one run,
so they cannot be stale."""

_NOT_IN_NOTEBOOKS = ("helpers.cli", "helpers.commands", "helpers.report")


class ForkServer:
    """Fork kernels on request and keep account of them."""

    def __init__(self, path: str) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            self.listener.bind(path)
        finally:
            os.umask(before)
        self.listener.listen(64)
        self.alive: set[int] = set()
        self.ended: dict[int, int] = {}

    def serve(self) -> bool:
        """Answer requests until standard input closes; return whether the owner said so before."""
        asked = False
        with selectors.DefaultSelector() as ready:
            ready.register(self.listener, selectors.EVENT_READ)
            ready.register(sys.stdin.fileno(), selectors.EVENT_READ)
            while True:
                for key, _mask in ready.select():
                    if key.fileobj is self.listener:
                        self._answer()
                    elif os.read(sys.stdin.fileno(), 1024):
                        asked = True
                    else:
                        self._kill_all()
                        return asked

    def _answer(self) -> None:
        """Read one request, do it, and send one reply."""
        connection, _address = self.listener.accept()
        with connection, connection.makefile("rw", encoding="utf-8") as stream:
            line = stream.readline()
            if not line:
                return
            request = json.loads(line)
            self._reap()
            reply = getattr(self, f"_do_{request.pop('op')}")(**request)
            try:
                stream.write(json.dumps(reply) + "\n")
                stream.flush()
            except BrokenPipeError:
                return

    def _do_launch(self, argv: list[str], cwd: str, env: dict[str, str], log: str) -> dict:
        """Fork a kernel."""
        pid = os.fork()
        if pid == 0:
            self.listener.close()
            _become_kernel(argv, cwd, env, log)
        self.alive.add(pid)
        return {"pid": pid}

    def _do_open(self, study: str) -> dict[str, bool]:
        """Open a study ahead, so that the kernels forked from here on find it read and marked."""
        from helpers.survey.opened import keep_open

        opened = keep_open(study)
        gc.collect()
        gc.freeze()
        return {"opened": opened}

    def _do_poll(self, pid: int) -> dict[str, Any]:
        """Tell a kernel's exit code, ``None`` while it runs."""
        return {"code": None if pid in self.alive else self.ended.get(pid, -signal.SIGKILL)}

    def _do_signal(self, pid: int, number: int) -> dict[str, bool]:
        """Send a signal to a kernel and what it started; only the server knows which pid lives."""
        return {"sent": pid in self.alive and _signal_group(pid, number)}

    def _reap(self) -> None:
        """Collect the exit codes of the kernels that ended."""
        while self.alive:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self.alive.discard(pid)
            self.ended[pid] = os.waitstatus_to_exitcode(status)

    def _kill_all(self) -> None:
        """End every kernel."""
        self._reap()
        for pid in self.alive:
            _signal_group(pid, signal.SIGKILL)


def _signal_group(pid: int, number: int) -> bool:
    """Send a signal to a process group, or to the process if it has not made its group yet."""
    for send in (os.killpg, os.kill):
        try:
            send(pid, number)
        except ProcessLookupError:
            continue
        return True
    return False


def _become_kernel(argv: list[str], cwd: str, env: dict[str, str], log: str) -> None:
    """Turn a freshly forked child into an IPython kernel; never returns."""
    code = 1
    try:
        os.setsid()
        _fresh_process(cwd, env, log)
        sys.argv = ["ipykernel_launcher", *argv]
        from ipykernel.kernelapp import IPKernelApp

        app = IPKernelApp.instance()
        app.initialize(argv)
        # The inline hook of ipykernel fires when pyplot is imported, which is already done here.
        app.shell.enable_matplotlib("inline")
        app.start()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # the child must never run on into the server's loop
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _fresh_process(cwd: str, env: dict[str, str], log: str) -> None:
    """Give the child its own folder, environment, files, signals and random numbers."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)  # a killed server leaves nobody
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    source = os.open(os.devnull, os.O_RDONLY)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for old, new in ((source, 0), (target, 1), (target, 2)):
        os.dup2(old, new)
    os.close(source)
    os.close(target)
    random.seed()
    sys.modules["numpy"].random.seed()


def project_modules() -> list[str]:
    """Return the project's own modules, but for the commands and this room."""
    package = Path(__file__).resolve().parents[1]
    names = (".".join(path.relative_to(package.parent).with_suffix("").parts)
             for path in sorted(package.rglob("*.py")))  # fmt: skip
    return [n.removesuffix(".__init__") for n in names if not n.startswith(_NOT_IN_NOTEBOOKS)]


def import_without_debugger(name: str = "ipykernel.debugger") -> None:
    """Import ipykernel's side of the debugger without debugpy, which costs half a kernel's start.

    Nobody debugs a report; a notebook that imports debugpy still can.
    """
    absent = [each for each in ("debugpy", "debugpy.server") if each not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))
    try:
        preload([name])
    finally:
        for each in absent:
            sys.modules.pop(each, None)


def preload(modules: Iterable[str]) -> None:
    """Import modules; one that cannot be imported is left to the notebook that needs it."""
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError as error:
            print(f"forkserver: {name} not preloaded: {error}", file=sys.stderr)


def main(path: str, modules: list[str]) -> None:
    """Import, report readiness, serve."""
    os.environ.update(ONE_THREAD)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # imports make much and drop little
    import_without_debugger()
    preload(modules or [*LIBRARIES, *project_modules()])
    if threading.active_count() != 1:
        names = ", ".join(thread.name for thread in threading.enumerate())
        raise SystemExit(f"forkserver: threads run after the imports ({names}); forks could hang.")
    gc.collect()
    gc.freeze()
    gc.enable()
    server = ForkServer(path)
    print("ready", flush=True)
    try:
        asked = server.serve()
    finally:
        server.listener.close()
        Path(path).unlink(missing_ok=True)
    folder = Path(path).parent
    if not asked and folder.name.startswith(PRIVATE):
        shutil.rmtree(folder, ignore_errors=True)  # its owner was killed and cannot do so


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
