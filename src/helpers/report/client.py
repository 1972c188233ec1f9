"""The client through which a notebook is run; it loses no time waiting for nothing.

jupyter_client's own finds a kernel ready only after 0.2 s without any message, a quarter of what
a short notebook takes.
"""

from __future__ import annotations

import time
from queue import Empty

from jupyter_client.asynchronous import AsyncKernelClient

_PATIENCE = 0.03
"""A kernel that answered says ``idle`` within a millisecond, unless it was not heard yet."""
_REPLY_SECONDS = 1.0


class PromptClient(AsyncKernelClient):
    """A client that begins as soon as the kernel has answered on both channels."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers, and until what it prints is heard as well.

        A request is repeated until its own ``idle`` message comes in: from then on nothing the
        kernel publishes can be missed, and nothing older is waiting.

        Raises
        ------
        RuntimeError
            The kernel died, or did not answer within ``timeout`` seconds.
        """
        until = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            asked = self.kernel_info()
            if await self._replied(asked) and await self._heard_idle(asked):
                return
            if not await self.is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > until:
                raise RuntimeError(f"Kernel didn't respond in {timeout:.0f} seconds")

    async def _replied(self, asked: str) -> bool:
        """Take the answer to a request, and older answers, off the shell channel."""
        try:
            while True:
                reply = await self.get_shell_msg(timeout=_REPLY_SECONDS)
                if reply["parent_header"].get("msg_id") == asked:
                    self._handle_kernel_info_reply(reply)
                    return True
        except Empty:
            return False

    async def _heard_idle(self, asked: str) -> bool:
        """Take messages off the output channel until the one that ends a request."""
        try:
            while True:
                message = await self.get_iopub_msg(timeout=_PATIENCE)
                mine = message["parent_header"].get("msg_id") == asked
                if mine and message["content"].get("execution_state") == "idle":
                    return True
        except Empty:
            return False
