"""The kernels of one run: a private folder with two kernelspecs, and the fork server."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
import weakref
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from importlib.metadata import EntryPoint
from pathlib import Path
from types import TracebackType
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory
from traitlets import Type, default

from helpers.report.client import PromptClient
from helpers.report.forkserver import ONE_THREAD, PRIVATE
from helpers.report.limits import STARTUP
from helpers.report.provisioner import ask

PLAIN, WARM = "study-plain", "study-warm"
PROVISIONER = "helpers-fork"
START_SECONDS = 120
_LONGEST_SOCKET_PATH = 60
"""A Unix socket's path may have some 100 characters, of which a kernel's own part takes 40."""

KERNEL_ENV = {**ONE_THREAD, "PYTHONHASHSEED": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
"""The same for both kinds of kernel: thread counts and the order of sets can move last digits."""


class Kernels:
    """Where the notebooks of a run find their kernels; a context manager.

    The fork server starts when the first kernel is asked for, or at ``begin``: a run that finds
    every notebook in the cache never starts it.

    Parameters
    ----------
    warm : bool
        Fork kernels from a server that has imported the libraries (Linux). If the server cannot
        be had, ordinary kernels are used and ``why_plain`` says so.
    preload : sequence of str
        Modules that the server imports; by default those that notebooks use.
    at_once : int, optional
        Most notebooks that run at the same time, however many threads ask; no limit without.

    Attributes
    ----------
    why_plain : str
        Why kernels are ordinary ones; empty while they are forked.
    place : context manager
        Held while a notebook runs; entering waits until fewer than ``at_once`` do.
    """

    def __init__(
        self, *, warm: bool = True, preload: Sequence[str] = (), at_once: int | None = None
    ) -> None:
        self._preload = tuple(preload)
        self.folder = Path(tempfile.mkdtemp(prefix=PRIVATE))
        self.why_plain = "" if warm else "asked for with --plain-kernels"
        if warm and not sys.platform.startswith("linux"):
            self.why_plain = "forked kernels are made on Linux only"
        self.managers: weakref.WeakSet[AsyncKernelManager] = weakref.WeakSet()
        self._server: subprocess.Popen[bytes] | None = None
        self._ready = self._stopped = False
        self.place = threading.Semaphore(at_once) if at_once else nullcontext()
        self._opened: set[str] = set()
        self._waiting = threading.Lock()

    def __enter__(self) -> Kernels:
        _register_provisioner()
        self._write_startup()
        self._write_spec(PLAIN, {})
        self._write_spec(WARM, {"provisioner_name": PROVISIONER, "config": self._server_config()})
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def begin(self) -> None:
        """Start the fork server, which imports while the run prepares; do not wait for it."""
        with self._waiting:
            if not (self.why_plain or self._stopped or self._server):
                self._start_server()

    def name(self) -> str:
        """Return the name of the kernel to use, once the fork server has answered or given up."""
        self.begin()
        with self._waiting:
            if not (self.why_plain or self._stopped or self._ready):
                self._await_server()
        return PLAIN if self.why_plain else WARM

    def open_ahead(self, study: str) -> None:
        """Let the fork server open a study once, for all kernels that follow.

        A server of chosen modules holds nothing else.
        """
        name = self.name()
        with self._waiting:
            if name == PLAIN or self._preload or study in self._opened:
                return
            self._opened.add(study)
            try:
                ask(str(self._socket), op="open", study=study)
            except OSError:
                return  # a server that is gone is found out when a kernel is asked for

    def manager_class(
        self, started: list[AsyncKernelManager], *, env: Mapping[str, str]
    ) -> type[AsyncKernelManager]:
        """Return a class for nbclient's ``kernel_manager_class``, for one notebook.

        Parameters
        ----------
        started : list
            Filled with the manager once nbclient makes it, so that its kernel can be ended.
        env : mapping
            Set in the kernel's environment beside what every kernel of the run has.
        """
        return _manager_class(self.folder, self.managers, started, env)

    def kill(self, manager: AsyncKernelManager) -> None:
        """End one kernel at once; nbclient then finds it dead."""
        provisioner = manager.provisioner
        forked = getattr(provisioner, "forked", None)
        process = getattr(provisioner, "process", None)
        if forked is not None:
            try:
                ask(str(self._socket), op="signal", pid=forked, number=int(signal.SIGKILL))
            except OSError:
                return  # a server that is gone has killed its kernels
        elif process is not None and process.poll() is None:
            process.kill()

    def stop(self) -> None:
        """End the server and every kernel, at once; what asks for a kernel afterwards fails."""
        self._stopped = True
        if self._server is not None:
            with suppress(OSError, ValueError):  # it may be gone, or closed before
                os.write(self._server.stdin.fileno(), b".")  # without it, the owner was killed
            self._server.stdin.close()
            if not self._ready:
                self._server.kill()  # still importing, and without kernels: nobody needed it
            try:
                self._server.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            self._server.stdout.close()
            self._server = None
        for manager in list(self.managers):
            process = getattr(manager.provisioner, "process", None)
            if process is not None and process.poll() is None:
                process.kill()

    @property
    def _socket(self) -> Path:
        return self.folder / "fork.sock"

    def _server_config(self) -> dict[str, str]:
        """Return the settings of ``ForkProvisioner``."""
        return {"server": str(self._socket), "log_file": str(self.folder / "kernels.log")}

    def _write_startup(self) -> None:
        """Write the start-up file that puts the limits in force in every kernel."""
        folder = self.folder / "ipython" / "profile_default" / "startup"
        folder.mkdir(parents=True)
        (folder / "00-limits.py").write_text(STARTUP, encoding="utf-8")

    def _write_spec(self, name: str, provisioner: dict) -> None:
        """Write a kernelspec into the private folder; nothing goes into the user's home."""
        spec = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name,
            "language": "python",
            "env": {**KERNEL_ENV, "IPYTHONDIR": str(self.folder / "ipython")},
            "metadata": {"kernel_provisioner": provisioner} if provisioner else {},
        }
        folder = self.folder / "kernels" / name
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")

    def _start_server(self) -> None:
        """Start the process of the fork server."""
        if len(str(self._socket)) > _LONGEST_SOCKET_PATH:
            self.why_plain = "the path of the temporary folder is too long for a socket"
            return
        command = [sys.executable, "-P", "-m", "helpers.report.forkserver", str(self._socket)]
        command += self._preload
        env = {
            **os.environ,
            **KERNEL_ENV,
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        }
        with (self.folder / "kernels.log").open("wb") as log:
            self._server = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                env=env, start_new_session=True,
            )  # fmt: skip

    def _await_server(self) -> None:
        """Wait until the server says ``ready``; without it the run goes on with plain kernels."""
        server = self._server
        with selectors.DefaultSelector() as ready:
            ready.register(server.stdout, selectors.EVENT_READ)
            answered = ready.select(timeout=START_SECONDS)
        self._ready = bool(answered) and server.stdout.readline().strip() == b"ready"
        if not self._ready:
            self.why_plain = "the fork server did not start"
            self.stop()


def _manager_class(
    folder: Path,
    managers: weakref.WeakSet[AsyncKernelManager],
    started: list[AsyncKernelManager],
    env: Mapping[str, str],
) -> type[AsyncKernelManager]:
    """Return a kernel manager that keeps its specs and connection files in ``folder``."""

    class RunKernelManager(AsyncKernelManager):
        client_factory = Type(PromptClient)

        @default("kernel_spec_manager")
        def _specs_of_the_run(self) -> KernelSpecManager:
            managers.add(self)
            started.append(self)
            return KernelSpecManager(
                kernel_dirs=[str(folder / "kernels")], ensure_native_kernel=False
            )

        @default("connection_file")
        def _connection_file_of_the_run(self) -> str:
            return str(folder / f"{uuid.uuid4().hex[:12]}.json")

        @default("transport")
        def _private_transport(self) -> str:
            short = len(str(folder)) <= _LONGEST_SOCKET_PATH
            return "ipc" if os.name == "posix" and short else "tcp"

        async def start_kernel(self, **options: Any) -> None:
            options["env"] = {**(options.get("env") or os.environ), **env}
            await super().start_kernel(**options)

    return RunKernelManager


def _register_provisioner() -> None:
    """Make the provisioner known where the package runs from its sources, not installed."""
    factory = KernelProvisionerFactory.instance()
    if PROVISIONER not in factory.provisioners:
        factory.provisioners[PROVISIONER] = EntryPoint(
            name=PROVISIONER,
            value="helpers.report.provisioner:ForkProvisioner",
            group=KernelProvisionerFactory.GROUP_NAME,
        )
