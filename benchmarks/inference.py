"""Time the bootstrap of ``helpers.sem`` beside lavaan, in one run on one machine.

    python benchmarks/inference.py [--quick]

All data are SIMULATED with a fixed seed. lavaan needs Rscript; without it its columns stay empty.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: one thread on both sides

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sem import PATHS, SCALES, lavaan_present, measurement, mission_data

from helpers.sem import bootstrap, fit

HERE = Path(__file__).parent
SEED = 20250401
N_ROWS = 600
LABELLED = (
    PATHS.replace("sat ~ comp + apol + time + sev", "sat ~ b1*comp + b2*apol + b3*time + sev")
    .replace("trust ~ sat", "trust ~ b5*sat")
    .replace("loy ~ trust + sat", "loy ~ g1*trust + g2*sat")
)
EFFECTS = "\n".join(f"ind{k} := b{k}*(g2 + b5*g1)" for k in (1, 2, 3)) + "\nserial := b1*b5*g1"
MODEL = f"{measurement(SCALES)}\n{LABELLED}\n{EFFECTS}"


class Lavaan:
    """One R process that runs what it is told and answers with its own seconds."""

    def __init__(self, folder: Path) -> None:
        command = ["Rscript", str(HERE / "inference_lavaan.R"), str(folder)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, task: str) -> float:
        """Run one task."""
        self.process.stdin.write(task + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"lavaan stopped at the task {task}")
        return json.loads(answer)["seconds"]

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def seconds(task: Callable[[], Any]) -> tuple[float, Any]:
    """Time one call."""
    started = time.perf_counter()
    value = task()
    return time.perf_counter() - started, value


def race(
    name: str,
    task: Callable[[], Any],
    draws: int,
    lavaan: Lavaan | None,
    order: str,
    theirs: int,
    rounds: int,
) -> None:
    """Time replicates in interleaved rounds and print milliseconds and their ratio."""
    own, other = [], []
    for _ in range(rounds):
        own.append(1000 * seconds(task)[0] / draws)
        if lavaan:
            other.append(1000 * lavaan.run(order) / theirs)
    shown = f"{statistics.median(other):10.2f}" if other else f"{'-':>10}"
    ratios = [a / b for a, b in zip(other, own, strict=False)]
    ratio = f"{statistics.median(ratios):8.0f} x" if ratios else f"{'-':>10}"
    spread = f"[{min(ratios):.0f}..{max(ratios):.0f}]" if ratios else ""
    print(f"{name:34}{statistics.median(own):10.3f}{shown}{ratio}  {spread}", flush=True)


def exactness(result: Any, lavaan: Lavaan, folder: Path, count: int) -> None:
    """Print the largest difference to lavaan's tightly stopped refits of the same resamples."""
    at = np.random.default_rng(SEED).integers(0, N_ROWS, (count, N_ROWS))
    pd.DataFrame(at + 1).to_csv(folder / "indices.csv", index=False)
    lavaan.run("refit")
    there = pd.read_csv(folder / "refits.csv").to_numpy()
    here = bootstrap(result, indices=at, seed=SEED, ci="percentile").draws.theta
    gap = np.abs(here - there).max()  # free parameters stand in the same order on both sides
    print(f"largest difference to lavaan's refits, {count} resamples: {gap:.1e}")


def replicates(
    data: dict[str, pd.DataFrame], lavaan: Lavaan | None, rounds: int, quick: bool
) -> Any:
    """Race replicates of the mission model."""
    print(f"Mission model: 26 items, 7 latents, 68 free parameters, N = {N_ROWS} (SIMULATED)")
    print("Milliseconds a replicate; ours with covariances, standardised values and all effects.")
    print(f"{'':34}{'ours':>10}{'lavaan':>10}{'ratio':>10}")
    rows = data["continuous"].drop(columns="group")
    result, robust = fit(MODEL, rows), fit(MODEL, rows, estimator="MLR")
    draws, theirs = (2000, 40) if quick else (5000, 200)

    def task(of: Any, workers: int) -> Callable[[], Any]:
        return lambda: bootstrap(of, n_boot=draws, seed=SEED, ci="percentile", workers=workers)

    one, two = f"boot {theirs} 1", f"boot {theirs} 2"
    race("ML, one process", task(result, 1), draws, lavaan, one, theirs, rounds)
    race("ML, two processes", task(result, 2), draws, lavaan, two, theirs, rounds)
    race("ML, two processes / lavaan on one", task(result, 2), draws, lavaan, one, theirs, rounds)
    race("MLR, one process", task(robust, 1), draws, lavaan, one, theirs, rounds)
    holes = fit(MODEL, data["holes"], missing="fiml")
    few = 32 if quick else 128
    race("FIML, 10 % blanks, one process",
         lambda: bootstrap(holes, n_boot=few, seed=SEED, ci="percentile"),
         few, None if quick else lavaan, "bootfiml 2", 2, 1)  # fmt: skip
    return result


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer replicates and rounds")
    quick = parser.parse_args().quick
    data = mission_data(N_ROWS)
    lavaan = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.txt").write_text(MODEL + "\n")
        data["continuous"].drop(columns="group").to_csv(folder / "continuous.csv", index=False)
        data["holes"].to_csv(folder / "holes.csv", index=False)
        if lavaan_present():
            lavaan = Lavaan(folder)
        else:
            print("Rscript with lavaan is not on this machine: its columns stay empty.")
        try:
            result = replicates(data, lavaan, 3 if quick else 7, quick)
            if lavaan:
                exactness(result, lavaan, folder, 3 if quick else 20)
        finally:
            if lavaan:
                lavaan.close()
    spent, drawn = seconds(lambda: bootstrap(result, n_boot=5000, seed=SEED, workers=2))
    used = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    memory = sum(resource.getrusage(who).ru_maxrss for who in used) / 1024
    kinds = len(drawn.estimates) + len(drawn.standardized)
    print(f"5,000 BCa draws, {kinds} intervals, two processes: {spent:.2f} s; "
          f"failed {drawn.n_failed}, retried {drawn.n_retried}")  # fmt: skip
    print(f"largest memory of this process and of a child together: {memory:.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
