"""Independent blocks of work: run here one by one, on processes of this machine, or on a cluster.

A block holds all that its result depends on (its seed too), so where it runs and in which order
changes no number. Finished blocks can be kept in a folder; a run that was cut short, or that lost
a worker, then starts again where it stopped.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import TypeVar

from helpers.errors import EstimationError
from helpers.i18n import current, in_language, language, listening

Block = TypeVar("Block")
Result = TypeVar("Result")
Done = Iterator[tuple[int, Result]]
Progress = Callable[[int, int], object]

MOST_LOSSES = 3
"""Times that processes of this machine may die before a run gives up."""


def run_blocks(
    function: Callable[[Block], Result],
    blocks: Sequence[Block],
    *,
    workers: int = 1,
    scheduler: str | None = None,
    keep: str | Path | None = None,
    progress: Progress | None = None,
) -> list[Result]:
    """Apply a function to independent blocks; same code and same numbers wherever they run.

    Parameters
    ----------
    function : callable
        Takes one block. A function of a module, or a ``functools.partial`` of one (for what all
        blocks share), so that other processes can find it. It must draw no random number but from
        a seed in its block.
    blocks : sequence
        Values that can be pickled; small ones, as each is sent on its own.
    workers : int
        Processes of this machine. With 1, everything runs here and nothing is started.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``tcp://host:8786``; ``workers`` does not count then.
        Needs the extra ``cluster``. Empty means none.
    keep : path, optional
        Folder for finished blocks. Each is written as soon as it is done, under a name made from
        the suite's code, the language, the function and the block; blocks found there are not run
        again. Keep such a folder to yourself: results are pickled.
    progress : callable, optional
        Called with (blocks done, blocks in all).

    Returns
    -------
    list
        Results in the order of the blocks.

    Raises
    ------
    EstimationError
        ``workers`` below 1; processes died repeatedly; the scheduler cannot be reached, has no
        workers, or its package is not installed. Nothing falls back by itself: the message says
        how to run here instead. What a block raises is passed on; finished blocks stay kept.

    Examples
    --------
    >>> run_blocks(abs, [-1, 2, -3])
    [1, 2, 3]
    """
    if not isinstance(workers, int) or workers < 1:
        raise EstimationError(
            f"run_blocks: workers= is {workers!r}; a whole number of processes, 1 or more, is "
            "needed. Give 1 to run everything in this process."
        )
    store = _Kept(Path(keep), function) if keep is not None else None
    results = store.found(blocks) if store else {}
    left = {i: block for i, block in enumerate(blocks) if i not in results}
    if progress is not None and results:
        progress(len(results), len(blocks))
    for i, result in _stream(function, left, workers, scheduler):
        if store:
            store.write(blocks[i], result)
        results[i] = result
        if progress is not None:
            progress(len(results), len(blocks))
    return [results[i] for i in range(len(blocks))]


def _stream(
    function: Callable[[Block], Result],
    left: dict[int, Block],
    workers: int,
    scheduler: str | None,
) -> Done[Result]:
    """Yield position and result of every block as it finishes."""
    if scheduler:
        from helpers.cluster import stream_cluster  # Dask is optional

        yield from stream_cluster(function, left, scheduler)
    elif workers == 1 or len(left) < 2:
        yield from ((i, function(block)) for i, block in left.items())
    else:
        yield from _stream_processes(function, dict(left), workers)


_installed: list[tuple[Callable, str]] = []
"""The function and the language of a worker process."""


def _install(function: Callable, spoken: str) -> None:
    """Hand a worker process what all blocks share, once."""
    _installed[:] = [(function, spoken)]


def _perform(block: Block) -> tuple[object, bool]:
    """Run one block in a worker process; tell also whether it asked for the language."""
    function, spoken = _installed[0]
    with in_language(spoken), listening() as heard:
        return function(block), heard()


def _stream_processes(
    function: Callable[[Block], Result], left: dict[int, Block], workers: int
) -> Done[Result]:
    """Yield results from processes of this machine; those that died are replaced a few times."""
    # A forked process inherits the function with its data; elsewhere it is sent once a process.
    method = "fork" if "fork" in get_all_start_methods() else "spawn"
    for _loss in range(MOST_LOSSES):
        pool = ProcessPoolExecutor(
            min(workers, len(left)), get_context(method), _install, (function, current())
        )
        try:
            futures = {pool.submit(_perform, block): i for i, block in left.items()}
            for future in as_completed(futures):
                result, spoke = future.result()
                if spoke:
                    language()  # who called depends on the language as well
                del left[futures[future]]
                yield futures.pop(future), result
            return
        except BrokenProcessPool:
            continue
        finally:
            pool.shutdown(cancel_futures=True)
    raise EstimationError(
        f"run_blocks: workers= {workers} processes died {MOST_LOSSES} times, {len(left)} blocks "
        "are not done; the machine may have run out of memory. Give fewer workers or smaller "
        "blocks; with keep= a new run continues with what is done."
    )


class _Kept:
    """Finished blocks of one function in a folder."""

    def __init__(self, folder: Path, function: Callable) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._start = hashlib.sha256(f"{_code_digest()} {language()} ".encode())
        self._start.update(_bytes(function))

    def found(self, blocks: Sequence[object]) -> dict[int, object]:
        """Return the results that are there, by position."""
        out = {}
        for i, block in enumerate(blocks):
            path = self._path(block)
            content = path.read_bytes() if path.is_file() else b""
            # A file that a crash of the machine left half written counts as not there.
            if content and hashlib.sha256(content[32:]).digest() == content[:32]:
                out[i] = pickle.loads(content[32:])
        return out

    def write(self, block: object, result: object) -> None:
        """Write one result; it appears under its name only when it is whole."""
        content = pickle.dumps(result)
        path = self._path(block)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(hashlib.sha256(content).digest() + content)
        os.replace(part, path)

    def _path(self, block: object) -> Path:
        """Return the file of a block, named by content."""
        key = self._start.copy()
        key.update(_bytes(block))
        return self._folder / f"{key.hexdigest()}.block"


def _bytes(value: object) -> bytes:
    """Return a value pickled so that equal values give equal bytes.

    Without the memo, whether two equal strings are one object makes no difference.
    """
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    pickler.fast = True
    pickler.dump(value)
    return buffer.getvalue()


@cache
def _code_digest() -> str:
    """Return a digest of the suite's code: after a change of it no kept block is used."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
