"""Running a bootstrap's tiles, wherever that is, and turning draws into intervals."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from helpers.blas import one_thread
from helpers.errors import EstimationError, listing
from helpers.i18n import _
from helpers.sem.bootstrap_batch import (
    FAILED,
    INADMISSIBLE,
    OK,
    Job,
    Tile,
    run_draws,
    run_jackknife,
)
from helpers.sem.bootstrap_draws import TILE
from helpers.sem.bootstrap_intervals import Intervals, acceleration, intervals
from helpers.sem.bootstrap_result import BootstrapResult, Draws
from helpers.workers import run_blocks

Array = np.ndarray
Progress = Callable[[int, int], object]

Task = tuple[str, int, int]
"""Kind (draw or jackknife), number of the tile, replicates in it."""


@one_thread
def perform(job: Job, task: Task) -> Tile:
    """Run one tile."""
    kind, tile, size = task
    return run_draws(job, tile, size) if kind == "draw" else run_jackknife(job, tile)


def list_tasks(n_boot: int, jackknife: int) -> list[Task]:
    """List the tiles of draws, then of the jackknife."""
    out = []
    for kind, n in (("draw", n_boot), ("jackknife", jackknife)):
        out += [(kind, t, min(TILE, n - t * TILE)) for t in range(-(-n // TILE))]
    return out


def run(
    job: Job,
    n_boot: int,
    jackknife: int,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    keep: str | Path | None = None,
    progress: Progress | None = None,
) -> tuple[Tile, Tile | None]:
    """Run the draws and, for BCa, the jackknife; see ``helpers.workers.run_blocks`` for where."""
    tasks = list_tasks(n_boot, jackknife)
    found = run_blocks(
        partial(perform, job), tasks, workers=workers, scheduler=scheduler, keep=keep,
        progress=progress,
    )  # fmt: skip
    n_draw = sum(task[0] == "draw" for task in tasks)
    return _joined(found[:n_draw]), _joined(found[n_draw:]) if jackknife else None


def _joined(tiles: list[Tile]) -> Tile:
    """Put tiles one after another."""
    names = ("theta", "values", "standard", "statistics", "status", "iterations", "retried")
    blocks = {name: np.concatenate([getattr(t, name) for t in tiles]) for name in names}
    errors = None if tiles[0].errors is None else np.concatenate([t.errors for t in tiles])
    return Tile(errors=errors, why=sum((t.why for t in tiles), ()), **blocks)


def summarise(
    job: Job,
    values: Array,
    drawn: Tile,
    left_out: Tile | None,
    ci: str,
    inadmissible: str,
    level: float,
    notes: list[str],
) -> BootstrapResult:
    """Turn draws into intervals."""
    result, n = job.result, len(drawn.status)
    used = drawn.status != FAILED if inadmissible == "keep" else drawn.status == OK
    if used.sum() < 2:
        _raise_none(drawn, n, int(used.sum()))
    found = []
    blocks = (
        (drawn.values, result.values, "values", 0),
        (drawn.standard, result.standard_values.std_all, "standard", 1),
        (drawn.statistics, values, "statistics", None),
    )
    for block, own, name, layer in blocks:
        kind, options = ci, {}
        if ci == "student" and layer is None:
            kind = "percentile"
        elif ci == "student":
            full = (result.standard_errors, result.standardized["se"].to_numpy())[layer]
            options = {"errors": drawn.errors[used, layer], "standard_errors": full}
        elif ci == "bca":
            options = {"acceleration": acceleration(getattr(left_out, name))}
        found.append(intervals(block[used], own, kind, level, **options))
    notes = [*notes, *_notes(job, drawn, left_out, found, ci)]
    draws = Draws(drawn.theta, drawn.values, drawn.standard, drawn.statistics, drawn.status,
                  drawn.iterations, used)  # fmt: skip
    return BootstrapResult(
        result, *found, job.statistics.names, values, n, int((drawn.status == FAILED).sum()),
        int((drawn.status == INADMISSIBLE).sum()), int(used.sum()), int(drawn.retried.sum()),
        job.seed, ci, job.method, inadmissible, level, draws, tuple(notes),
    )  # fmt: skip


def _raise_none(drawn: Tile, n: int, used: int) -> None:
    """Say why there are too few replicates."""
    reasons = {w: drawn.why.count(w) for w in dict.fromkeys(drawn.why)}
    worst = max(reasons, key=reasons.get) if reasons else "all were inadmissible"
    raise EstimationError(
        f"bootstrap: {used} of n_boot={n} replicates can be used, at least 2 are needed; most "
        f"often because {worst}. Use more replicates, more rows or a smaller model; "
        "inadmissible='keep' keeps replicates with impossible values."
    )


def _notes(
    job: Job, drawn: Tile, left_out: Tile | None, found: list[Intervals], ci: str
) -> list[str]:
    """Say what a reader has to know."""
    out = []
    if left_out is not None and (left_out.status == FAILED).any():
        out.append(
            _(
                "{n} replicates of the jackknife failed and are left out of the acceleration."
            ).format(n=int((left_out.status == FAILED).sum()))
        )
    known = np.isfinite(job.result.values)
    partial = (~np.isfinite(drawn.values[:, known])).any(axis=1) & (drawn.status != FAILED)
    if partial.any():
        out.append(
            _("{n} replicates lack a category of an ordered item; its thresholds are left out.")
            .format(n=int(partial.sum()))
        )  # fmt: skip
    named = _extreme(job, found)
    if named:
        out.append(
            _("More replicates are needed for {names}: a bound is the most extreme one.").format(
                names=listing(named, most=6)
            )
        )
    if ci == "student" and drawn.statistics.shape[1]:
        out.append(_("Fit measures have percentile intervals, as they have no standard error."))
    return out


def _extreme(job: Job, found: list[Intervals]) -> list[str]:
    """Names of quantities with a bound at the smallest or largest replicate."""
    table = job.result.table
    names = [row.name for row in table.rows] + [name for name, _e in table.defined]
    raw, scaled, extra = (np.flatnonzero(f.extreme) for f in found)
    rows = [names[k] for k in sorted({*raw.tolist(), *scaled.tolist()})]
    return rows + [job.statistics.names[k] for k in extra]
