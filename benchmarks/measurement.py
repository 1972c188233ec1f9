"""Time the HTMT bootstrap beside semTools with boot, in one run on one machine.

    python benchmarks/measurement.py [--quick]

Data are SIMULATED with a fixed seed: 24 items of six constructs, 600 rows. semTools needs Rscript;
without it its columns stay empty. semTools runs fewer draws, and its time is scaled up, which is
said in the table.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: one thread on both sides

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.measurement import estimate_htmt

HERE = Path(__file__).parent
SEED = 20260401
N_ROWS, CONSTRUCTS, PER_CONSTRUCT = 600, 6, 4
DRAWS, RIVAL_DRAWS = 5000, 200


def simulated() -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Return items of correlated factors and the scales they belong to."""
    rng = np.random.default_rng(SEED)
    phi = np.full((CONSTRUCTS, CONSTRUCTS), 0.4) + 0.6 * np.eye(CONSTRUCTS)
    factors = rng.multivariate_normal(np.zeros(CONSTRUCTS), phi, size=N_ROWS)
    scales = {f"F{k}": [f"F{k}_{i}" for i in range(PER_CONSTRUCT)] for k in range(CONSTRUCTS)}
    columns = {
        name: 0.75 * factors[:, k] + 0.66 * rng.normal(size=N_ROWS)
        for k, items in enumerate(scales.values())
        for name in items
    }
    return pd.DataFrame(columns), scales


def ours(data: pd.DataFrame, scales: dict[str, list[str]], rounds: int) -> tuple[float, list]:
    """Return the median seconds of the whole bootstrap, HTMT and HTMT2, and the ratios."""
    seconds = []
    for seed in range(rounds):  # another seed each time, so that nothing is remembered
        start = time.perf_counter()
        found = estimate_htmt(data, scales, n_boot=DRAWS, seed=seed)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), found.pairs["htmt"].tolist()


def semtools(data: pd.DataFrame, scales: dict[str, list[str]], draws: int) -> tuple[float, list]:
    """Return the seconds of semTools for some draws of HTMT alone, and the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        rows, model = Path(folder, "data.csv"), Path(folder, "model.txt")
        data.to_csv(rows, index=False)
        lines = [f"{name} =~ {' + '.join(items)}" for name, items in scales.items()]
        model.write_text("\n".join(lines) + "\n", encoding="utf-8")
        script = str(HERE / "measurement_semtools.R")
        done = subprocess.run(
            ["Rscript", script, str(rows), str(model), str(draws)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    seconds, ratios = done.stdout.strip().splitlines()[-2:]
    return float(seconds), [float(v) for v in ratios.split(",")]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds and rival draws")
    quick = parser.parse_args().quick
    data, scales = simulated()
    mine, ratios = ours(data, scales, 1 if quick else 3)
    print(f"HTMT and HTMT2, {data.shape[1]} items, n = {N_ROWS}, {DRAWS} draws")
    print(f"helpers                    {mine:8.2f} s")
    if shutil.which("Rscript") is None:
        print("semTools with boot         (no Rscript)")
        return
    draws = 40 if quick else RIVAL_DRAWS
    theirs, their_ratios = semtools(data, scales, draws)
    scaled = theirs * DRAWS / draws
    gap = max(abs(a - b) for a, b in zip(ratios, their_ratios, strict=True))
    print(f"semTools with boot         {scaled:8.2f} s  (HTMT alone; {draws} draws, scaled up)")
    print(f"ratio                      {scaled / mine:8.0f}")
    print(f"largest difference of the estimates {gap:.1e}")


if __name__ == "__main__":
    main()
