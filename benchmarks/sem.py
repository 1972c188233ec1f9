"""How fast ``helpers.sem`` is beside lavaan and semopy: one run, one machine, medians, ratios.

    python benchmarks/sem.py            everything; several minutes, most of them lavaan's FIML
    python benchmarks/sem.py --quick    about two minutes, without lavaan's FIML and the largest N

All data are SIMULATED by this file. Rounds are interleaved: every round times each engine once on
the same task, so that a busy moment of the machine hits all of them. lavaan runs in one R process
and is timed inside R. Without ``Rscript`` and lavaan its columns stay empty.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # R's BLAS has one thread too

import numpy as np
import pandas as pd

SEED = 20250401
N_ROWS = 600
BLANK_SHARE = 0.10
SCALES = {"comp": 4, "apol": 4, "time": 3, "sev": 3, "sat": 4, "trust": 3, "loy": 5}
PATHS = "sat ~ comp + apol + time + sev\ntrust ~ sat\nloy ~ trust + sat + comp + apol + time"
LIKERT_CUTS = (-2.2, -1.7, -1.1, -0.6, 0.1, 0.9)
LADDER = ((), ("loadings",), ("loadings", "intercepts"), ("loadings", "intercepts", "residuals"))
ITEM_COUNTS = (10, 20, 40, 60, 80, 100)
FEW_ITEMS = 40
HERE = Path(__file__).parent


def item_names(scales: dict[str, int]) -> dict[str, list[str]]:
    """Name the items of each scale."""
    return {scale: [f"{scale}{k + 1}" for k in range(n)] for scale, n in scales.items()}


def measurement(scales: dict[str, int]) -> str:
    """Write the measurement part of a model."""
    parts = item_names(scales).items()
    return "\n".join(f"{scale} =~ {' + '.join(items)}" for scale, items in parts)


def items_of(rng: np.random.Generator, latent: np.ndarray, scales: dict[str, int]) -> pd.DataFrame:
    """Draw items with loadings between .7 and .9 and unit variance."""
    columns = {}
    for k, items in enumerate(item_names(scales).values()):
        for item in items:
            loading = rng.uniform(0.7, 0.9)
            noise = np.sqrt(1 - loading**2) * rng.normal(size=len(latent))
            columns[item] = loading * latent[:, k] + noise
    return pd.DataFrame(columns)


def recovery_chain(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw compensation, apology, promptness, severity, satisfaction, trust, loyalty (n, 7)."""
    cov = np.array([[1, 0.4, 0.4, -0.1], [0.4, 1, 0.5, -0.2], [0.4, 0.5, 1, -0.2]])
    cov = np.vstack([cov, [-0.1, -0.2, -0.2, 1]])
    x = rng.multivariate_normal(np.zeros(4), cov, n, method="cholesky")
    sat = x @ [0.3, 0.3, 0.2, -0.2] + rng.normal(0, 0.7, n)
    trust = 0.6 * sat + rng.normal(0, 0.8, n)
    loy = 0.35 * trust + 0.3 * sat + 0.1 * x[:, 0] + 0.05 * x[:, 1] + rng.normal(0, 0.6, n)
    return np.column_stack([x, sat, trust, loy])


def mission_data(n: int) -> dict[str, pd.DataFrame]:
    """Return continuous rows with two groups, the same in seven categories, and with blanks."""
    rng = np.random.default_rng(SEED)
    rows = items_of(rng, recovery_chain(rng, n), SCALES)
    likert = rows.apply(lambda column: np.digitize(column, LIKERT_CUTS) + 1)
    holes = rows.mask(rng.random(rows.shape) < BLANK_SHARE)
    group = np.where(rng.random(n) < 0.55, "A", "B")
    return {"continuous": rows.assign(group=group), "likert": likert, "holes": holes}


def wide_case(p: int) -> tuple[str, pd.DataFrame]:
    """Return a measurement model of p items, five to a latent, and N_ROWS rows."""
    rng = np.random.default_rng(SEED + p)
    scales = {f"f{chr(97 + k)}": 5 for k in range(p // 5)}
    common = rng.normal(size=(N_ROWS, 1))
    latent = np.sqrt(0.3) * common + np.sqrt(0.7) * rng.normal(size=(N_ROWS, len(scales)))
    return measurement(scales), items_of(rng, latent, scales)


def seconds(task: Callable[[], Any]) -> tuple[float, Any]:
    """Time one call."""
    started = time.perf_counter()
    value = task()
    return time.perf_counter() - started, value


def ours(model: str, data: pd.DataFrame | None, **options: Any) -> float:
    """Fit, make every table, return chi-square."""
    from helpers.sem import fit

    result = fit(model, data, **options)
    _ = result.estimates, result.fit_measures
    return float(result.fit_measures["chisq"])


def our_tasks(data: dict[str, pd.DataFrame]) -> dict[str, Callable[[], float]]:
    """Return our side of every task."""
    model, rows = f"{measurement(SCALES)}\n{PATHS}", data["continuous"]
    items = [column for column in rows if column != "group"]

    def invariance() -> float:
        fits = [ours(measurement(SCALES), rows, group="group", group_equal=e) for e in LADDER]
        return fits[-1]

    return {
        "ML": lambda: ours(model, rows),
        "MLR": lambda: ours(model, rows, estimator="MLR"),
        "MLM": lambda: ours(model, rows, estimator="MLM"),
        "WLSMV": lambda: ours(model, data["likert"], estimator="WLSMV", ordered=items),
        "invariance": invariance,
        "FIML": lambda: ours(model, data["holes"], missing="fiml"),
    }


def semopy_fit(model: str, rows: pd.DataFrame) -> float:
    """Fit with semopy, standardised table and fit statistics included."""
    import semopy

    fitted = semopy.Model(model)
    fitted.fit(rows, options={"ftol": 1e-12})
    fitted.inspect(std_est=True)
    return float(semopy.calc_stats(fitted)["chi2"].iloc[0])


class Lavaan:
    """One R process that fits what it is told and answers with its own times."""

    def __init__(self, folder: Path) -> None:
        command = ["Rscript", str(HERE / "sem_lavaan.R"), str(folder)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, task: str) -> dict[str, float]:
        """Run one task."""
        self.process.stdin.write(task + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"lavaan stopped at the task {task}")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def lavaan_present() -> bool:
    """Tell whether Rscript runs and finds lavaan."""
    ask = ["Rscript", "-e", "stopifnot(requireNamespace('lavaan', quietly = TRUE))"]
    try:
        return subprocess.run(ask, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def write_inputs(folder: Path, data: dict[str, pd.DataFrame], counts: tuple[int, ...]) -> None:
    """Write what lavaan reads."""
    for name, table in data.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "structural.txt").write_text(f"{measurement(SCALES)}\n{PATHS}\n")
    (folder / "measurement.txt").write_text(measurement(SCALES) + "\n")
    for p in counts:
        model, table = wide_case(p)
        (folder / f"items_{p}.txt").write_text(model + "\n")
        table.to_csv(folder / f"items_{p}.csv", index=False)


def milliseconds(values: list[float]) -> str:
    """Show a median in milliseconds."""
    return f"{1000 * statistics.median(values):10.1f}" if values else f"{'-':>10}"


def ratio(theirs: list[float], own: list[float]) -> str:
    """Show the median over rounds of their time over ours."""
    pairs = [a / b for a, b in zip(theirs, own, strict=False)]
    return f"{statistics.median(pairs):8.1f} x" if pairs else f"{'-':>10}"


def race(
    name: str,
    task: Callable[[], float],
    lavaan: Lavaan | None,
    rounds: int,
    other: Callable[[], float] | None = None,
) -> None:
    """Time one task in interleaved rounds and print its line."""
    task()  # the first call pays for lazy imports
    own, fit_only, whole, third, gap = [], [], [], [], 0.0
    for _ in range(rounds):
        spent, chisq = seconds(task)
        own.append(spent)
        if lavaan:
            answer = lavaan.run(name)
            fit_only.append(answer["fit"])
            whole.append(answer["fit"] + answer["tables"])
            gap = max(gap, abs(answer["chisq"] / chisq - 1))
        if other:
            third.append(seconds(other)[0])
    agree = f"{gap:9.0e}" if lavaan else f"{'-':>9}"
    print(
        f"{name:12}{milliseconds(own)}{milliseconds(fit_only)}{ratio(fit_only, own)}"
        f"{milliseconds(whole)}{ratio(whole, own)}{milliseconds(third)}{ratio(third, own)}{agree}",
        flush=True,
    )


HEADER = (
    f"{'task':12}{'ours ms':>10}{'lavaan ms':>10}{'ratio':>10}{'+tables ms':>10}{'ratio':>10}"
    f"{'semopy ms':>10}{'ratio':>10}{'chi2 gap':>9}"
)
NOTE = (
    "ours: fit with errors, standardised table and all fit measures. lavaan: sem() alone, then\n"
    "with its standardised table and fitMeasures(). chi2 gap: largest relative difference."
)


def mission(data: dict[str, pd.DataFrame], lavaan: Lavaan | None, rounds: int, quick: bool) -> None:
    """Race the estimators on the mission model."""
    print(f"\nMission model: 26 items, 7 latents, 68 free parameters, N = {N_ROWS} (SIMULATED)")
    print(NOTE + "\n" + HEADER)
    rows = data["continuous"].drop(columns="group")
    model = f"{measurement(SCALES)}\n{PATHS}"
    for name, task in our_tasks(data).items():
        slow = name == "FIML"
        opponent = None if slow and quick else lavaan
        other = (lambda: semopy_fit(model, rows)) if name == "ML" else None
        race(name, task, opponent, 1 if slow and opponent else rounds, other)


def against_items(lavaan: Lavaan | None, counts: tuple[int, ...], rounds: int) -> None:
    """Race a measurement model of growing width."""
    print("\nCost against the number of items p (five to a latent, ML)\n" + HEADER)
    for p in counts:
        model, table = wide_case(p)
        once = rounds if p <= FEW_ITEMS else 1  # lavaan takes 15 s and more on a hundred items
        race(f"items_{p}", lambda m=model, t=table: ours(m, t), lavaan, once)


def against_rows(sizes: tuple[int, ...], rounds: int) -> None:
    """Show that only the pass over the rows grows with N."""
    print("\nCost against N (ML, mission model): the pass for moments, the fit from moments, both")
    print(f"{'N':>10}{'moments ms':>12}{'from moments ms':>17}{'from rows ms':>14}")
    model = f"{measurement(SCALES)}\n{PATHS}"
    for n in sizes:
        rows = mission_data(n)["continuous"].drop(columns="group")
        cov = rows.cov()
        passes, moments, whole = [], [], []
        for _ in range(rounds):
            passes.append(seconds(lambda r=rows: np.cov(r.to_numpy(), rowvar=False))[0])
            moments.append(seconds(lambda c=cov, k=n: ours(model, None, sample_cov=c, n_obs=k))[0])
            whole.append(seconds(lambda r=rows: ours(model, r))[0])
        shown = [1000 * statistics.median(v) for v in (passes, moments, whole)]
        print(f"{n:>10,}{shown[0]:>12.1f}{shown[1]:>17.1f}{shown[2]:>14.1f}", flush=True)


def import_time(rounds: int) -> None:
    """Time ``import helpers.sem`` in fresh processes, over its three libraries."""
    code = (
        "import numpy, pandas, scipy.linalg, scipy.optimize, scipy.special, scipy.stats, time\n"
        "t = time.perf_counter()\nimport helpers.sem\nprint(time.perf_counter() - t)"
    )
    spent = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                             check=True).stdout)
        for _ in range(rounds)
    ]  # fmt: skip
    shown = 1000 * statistics.median(spent)
    print(f"\nimport helpers.sem over numpy, scipy and pandas: {shown:.0f} ms")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sizes")
    quick = parser.parse_args().quick
    rounds = 3 if quick else 11
    counts = ITEM_COUNTS[:3] + ITEM_COUNTS[-1:] if quick else ITEM_COUNTS
    sizes = (1_000, 10_000, 100_000) if quick else (1_000, 10_000, 100_000, 1_000_000)
    data = mission_data(N_ROWS)
    present = lavaan_present()
    if not present:
        print("Rscript with lavaan is not on this machine: its columns stay empty.")
    elif quick:
        print("--quick leaves out lavaan's FIML, which takes 15 to 50 seconds a fit.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(folder, data, counts)
        lavaan = Lavaan(folder) if present else None
        try:
            mission(data, lavaan, rounds, quick)
            against_items(lavaan, counts, 3)
        finally:
            if lavaan:
                lavaan.close()
    against_rows(sizes, 3)
    import_time(3)
    return 0


if __name__ == "__main__":
    sys.exit(main())
