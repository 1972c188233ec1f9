"""Blocks on a Dask cluster that already runs. Dask is the optional extra ``cluster``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from helpers.errors import EstimationError
from helpers.i18n import in_language, language

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 10
"""How long the scheduler, and then its first worker, may take to answer."""

HERE_INSTEAD = "To run on this machine instead, leave scheduler= out (and give workers= if wanted)."


def stream_cluster(
    function: Callable[[Any], Any], left: dict[int, Any], address: str
) -> Iterator[tuple[int, Any]]:
    """Yield position and result of every block as the cluster finishes it.

    Results are fetched one by one, so that a worker lost later takes none of them along; the
    scheduler gives the blocks it was working on to another.

    Raises
    ------
    EstimationError
        Dask is not installed, the scheduler does not answer or has no workers, or a block was on
        several workers when they died.
    """
    if not left:
        return
    with connect(address) as client:
        yield from _stream_client(client, function, left)


def _stream_client(
    client: Client, function: Callable[[Any], Any], left: dict[int, Any]
) -> Iterator[tuple[int, Any]]:
    """Submit all blocks and yield results."""
    from distributed import KilledWorker, as_completed

    # As a task, what all blocks share travels once a worker and is made anew after a loss.
    shared = client.submit(_carry, function, language(), pure=False)
    futures = {client.submit(_perform, shared, block, pure=False): i for i, block in left.items()}
    for future in as_completed(list(futures), loop=client.loop):
        try:
            result = future.result()
        except KilledWorker:
            raise EstimationError(
                "run_blocks: scheduler= lost several workers while they ran the same block; they "
                "may lack memory, or the suite is not installed there. See the workers' logs. "
                + HERE_INSTEAD
            ) from None
        yield futures.pop(future), result


def connect(address: str, *, caller: str = "run_blocks") -> Client:
    """Return a client of a running scheduler with at least one worker.

    Raises
    ------
    EstimationError
        Dask is not installed, the scheduler does not answer, or it has no workers.
    """
    try:
        from distributed import Client
        from distributed.comm.addressing import parse_address, parse_host_port
    except ModuleNotFoundError:
        raise EstimationError(
            f"{caller}: scheduler= is '{address}', and the package distributed is not installed; "
            "it is an extra. Install it with `pip install 'service-recovery-notebooks[cluster]'`. "
            + HERE_INSTEAD
        ) from None
    try:
        scheme, place = parse_address(address)
        if scheme in ("tcp", "tls"):
            parse_host_port(place)  # a client of a malformed address cannot even be closed
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise EstimationError(
            f"{caller}: scheduler= '{address}' cannot be reached ({type(error).__name__}); the "
            "address of a running Dask scheduler, such as tcp://host:8786, is needed. Start it, "
            f"or correct the address. {HERE_INSTEAD}"
        ) from None
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError:
        client.close()
        raise EstimationError(
            f"{caller}: scheduler= '{address}' answers but has no workers; at least one is "
            f"needed. Start one with `dask worker {address}`. {HERE_INSTEAD}"
        ) from None
    return client


def _carry(function: Callable[[Any], Any], spoken: str) -> tuple[Callable[[Any], Any], str]:
    """Return what all blocks share, on a worker."""
    return function, spoken


def _perform(shared: tuple[Callable[[Any], Any], str], block: Any) -> Any:
    """Run one block on a worker, in the language of the one who asked."""
    function, spoken = shared
    with in_language(spoken):
        return function(block)
