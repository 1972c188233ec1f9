"""Start kernels by asking the fork server, so that a kernel costs a fork and no imports.

Named in a kernelspec as ``helpers-fork``; papermill, nbclient and JupyterLab alike then use it.
Without an answer from the server it starts the kernel in the ordinary way.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Unicode

_POLL_SECONDS = 0.01
ANSWER_SECONDS = 120
"""A server answers within milliseconds, but opens a study with one hand while others wait."""
_END_SECONDS = 1.0
"""A kernel that has not ended by then is ended by the manager, with signals."""


class ForkProvisioner(LocalProvisioner):
    """A kernel forked from a server that has already imported the libraries."""

    server = Unicode("", config=True, help="Path of the fork server's socket.")
    log_file = Unicode(os.devnull, config=True, help="Where forked kernels write their messages.")

    _forked: int | None = None
    _code: int | None = None

    @property
    def has_process(self) -> bool:
        return self._forked is not None or super().has_process

    @property
    def forked(self) -> int | None:
        """The process number of a kernel that was forked and not yet collected."""
        return self._forked

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        request = {
            "argv": cmd[cmd.index("-f") :],
            "cwd": str(kwargs.get("cwd") or os.getcwd()),
            "env": dict(kwargs.get("env") or os.environ),
            "log": self.log_file,
        }
        try:
            reply = ask(self.server, op="launch", **request)
        except OSError:
            self.log.warning("The fork server does not answer; this kernel starts the slow way.")
            return await super().launch_kernel(cmd, **kwargs)
        self._forked, self._code = reply["pid"], None
        self.pid = self.pgid = self._forked
        return self.connection_info

    async def poll(self) -> int | None:
        if self._forked is None:
            return await super().poll()
        if self._code is None:
            try:
                self._code = ask(self.server, op="poll", pid=self._forked)["code"]
            except OSError:
                self._code = -signal.SIGKILL  # a server that is gone has killed its kernels
        return self._code

    async def wait(self) -> int | None:
        if self._forked is None:
            return await super().wait()
        while await self.poll() is None:
            await asyncio.sleep(_POLL_SECONDS)
        self._forked = None
        return self._code

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Wait for the kernel's end here: the manager would look only every tenth of a second."""
        until = time.monotonic() + _END_SECONDS
        while self._forked is not None and await self.poll() is None and time.monotonic() < until:
            await asyncio.sleep(_POLL_SECONDS)

    async def send_signal(self, signum: int) -> None:
        if self._forked is None:
            await super().send_signal(signum)
            return
        try:
            ask(self.server, op="signal", pid=self._forked, number=int(signum))
        except OSError:
            self._code = -signal.SIGKILL

    async def kill(self, restart: bool = False) -> None:
        if self._forked is None:
            await super().kill(restart)
        else:
            await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        if self._forked is None:
            await super().terminate(restart)
        else:
            await self.send_signal(signal.SIGTERM)


def ask(path: str, **request: Any) -> dict[str, Any]:
    """Send one request to the fork server and return its reply.

    Raises
    ------
    OSError
        No server listens at ``path``, it closed the connection without a reply, or it did not
        answer in time; such a server is not asked again.
    """
    if not path:
        raise ConnectionRefusedError("no fork server was named")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_SECONDS)
        try:
            connection.connect(path)
            with connection.makefile("rw", encoding="utf-8") as stream:
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                line = stream.readline()
        except TimeoutError:
            Path(path).unlink(missing_ok=True)
            raise
    if not line:
        raise ConnectionResetError("the fork server closed the connection")
    return json.loads(line)
