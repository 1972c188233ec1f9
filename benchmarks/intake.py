"""Time and memory of the way from an export to described scales, beside ``pandas.read_csv``.

A Qualtrics export with 60 columns (13 of the platform, 47 answers; SIMULATED) is written in
several sizes. For each, one fresh process reads it by ``read_source``, marks the rows, excludes,
scores and describes; another reads the same file by ``pandas.read_csv`` alone. The peak of memory
is what a process holds at most, less what it held after its imports; seconds are CPU seconds, so
that other programs on the machine matter less. Usage::

    python benchmarks/intake.py [--quick] [--rows 10000 100000 1000000] [--folder DIR]
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.study import StudyFolder, read_folder
from helpers.survey.careless_indices import scale_items
from helpers.survey.describe import describe_items
from helpers.survey.readers import Intake, read_source
from helpers.survey.scoring import reverse_coded, scale_scores
from helpers.survey.screening import exclude_marked, mark_responses

FULL = (10_000, 100_000, 1_000_000)
QUICK = (10_000, 40_000)
CONSTRUCTS, PER_CONSTRUCT = 11, 4
BLOCK, SCORED = 50_000, 10_000
BLANKS = 0.02
MB = 1024 * 1024
META = ("StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)",
        "Finished", "RecordedDate", "ResponseId", "LocationLatitude", "LocationLongitude",
        "DistributionChannel", "UserLanguage")  # fmt: skip
ITEMS = tuple(f"{chr(65 + c)}{k}" for c in range(CONSTRUCTS) for k in range(1, PER_CONSTRUCT + 1))
ANSWERS = ("CONSENT", *ITEMS[: len(ITEMS) // 2], "ATT", *ITEMS[len(ITEMS) // 2 :], "AGE")


def write_study(folder: Path, n: int) -> Path:
    """Write a study folder with an export of n rows; return the export."""
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    path = folder / "raw" / "main.csv"
    names = [*META, *ANSWERS]
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(names)
        writer.writerow([f"Text of {name}" for name in names])
        writer.writerow([f'{{"ImportId":"{name}"}}' for name in names])
        for start in range(0, n, BLOCK):
            handle.write(_rows(start, min(BLOCK, n - start)))
    _write_codebook(folder, hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def _rows(start: int, n: int) -> str:
    """Return n rows of the export as text: a factor for each construct, some careless people."""
    rng = np.random.default_rng([20261121, start])
    general = rng.normal(size=(n, 1))
    factor = 0.5 * general + np.sqrt(0.75) * rng.normal(size=(n, CONSTRUCTS))
    noise = rng.normal(size=(n, CONSTRUCTS, PER_CONSTRUCT))
    z = (0.8 * factor[:, :, None] + 0.6 * noise).reshape(n, -1)
    z[:, 3::PER_CONSTRUCT] *= -1
    codes = np.clip(np.round(z * 1.3 + 4), 1, 7).astype(int)
    careless = rng.random(n) < 0.03
    codes[careless] = rng.integers(1, 8, (int(careless.sum()), codes.shape[1]))
    cells = codes.astype("U2")
    cells[rng.random(cells.shape) < BLANKS] = ""
    half = cells.shape[1] // 2
    attention = np.where(careless & (rng.random(n) < 0.8), "3", "6")
    age = rng.integers(18, 80, n).astype(str)
    seconds = np.where(careless, 60, rng.integers(200, 900, n)).astype(str)
    minute = np.char.add("2026-03-02 09:", np.char.zfill(rng.integers(0, 60, n).astype(str), 2))
    begun = np.char.add(minute, ":15")
    ids = np.char.add("R_", np.char.zfill(np.arange(start, start + n).astype(str), 15))
    octets = [np.char.add(".", rng.integers(0, 255, n).astype(str)) for _ in range(2)]
    address = np.char.add(np.char.add("192.0", octets[0]), octets[1])
    fixed = [np.full(n, text) for text in ("IP Address", "100", "True", "30.3", "120.2")]
    meta = [begun, begun, fixed[0], address, fixed[1], seconds, fixed[2], begun, ids, fixed[3],
            fixed[4], np.full(n, "anonymous"), np.full(n, "EN")]  # fmt: skip
    table = np.column_stack(
        [*meta, np.full(n, "1"), cells[:, :half], attention, cells[:, half:], age]
    )
    return "\n".join(",".join(row) for row in table) + "\n"


def _write_codebook(folder: Path, sha256: str) -> None:
    """Write study.yml and items.csv of the study."""
    codes = [chr(65 + c) for c in range(CONSTRUCTS)]
    text = {"en": "text", "zh": "text"}
    study = {
        "id": "intake", "title": text, "kind": "survey", "provenance": text, "licence": "CC0-1.0",
        "citation": "SIMULATED by benchmarks/intake.py",
        "data": {"reader": "qualtrics", "file": "raw/main.csv", "sha256": sha256},
        "scales": {
            "agree7": {"kind": "likert", "low": 1, "high": 7},
            "yesno": {"kind": "category", "labels": {1: text, 2: {"en": "no", "zh": "no"}}},
            "years": {"kind": "number", "low": 0, "high": 120},
        },
        "constructs": [{"code": c, "name": {"en": c, "zh": c}} for c in codes],
        "screening": {
            "consent": {"item": "CONSENT", "accept": [1]},
            "attention": [{"item": "ATT", "accept": [6]}],
            "duplicate_on": ["address", "answers"],
            "exclude": ["no_consent", "unfinished", "duplicate", "speeding", "failed_attention"],
        },
    }  # fmt: skip
    (folder / "study.yml").write_text(json.dumps(study), encoding="utf-8")  # JSON is YAML
    columns = ("item", "construct", "scale", "wording_en", "wording_zh", "reverse",
               "missing_codes", "shown_if", "module", "column", "source")  # fmt: skip
    with (folder / "items.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns, restval="")
        writer.writeheader()
        for item in ANSWERS:
            scale = {"CONSENT": "yesno", "AGE": "years"}.get(item, "agree7")
            reverse = "1" if item in ITEMS and item.endswith(str(PER_CONSTRUCT)) else ""
            construct = item[0] if item in ITEMS else ""
            words = {"wording_en": item, "wording_zh": item}
            writer.writerow(words | {"item": item, "scale": scale, "construct": construct,
                                     "reverse": reverse})  # fmt: skip


@contextmanager
def timed(stages: dict[str, float], name: str) -> Iterator[None]:
    """Add the CPU seconds of a block to ``stages``."""
    started = time.process_time()
    yield
    stages[name] = time.process_time() - started


def peak_mb() -> float:
    """Return the highest memory of this process since it began."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would carry over the memory of the process that started us
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / MB if sys.platform == "darwin" else most / 1024


def kept_blocks(intake: Intake, kept: pd.Series) -> Iterator[pd.DataFrame]:
    """Yield the rows kept, a block at a time, with their ids."""
    for start in range(0, len(kept), SCORED):
        here = slice(start, start + SCORED)
        part = intake.answers.iloc[here][kept.iloc[here]]
        part.insert(0, "respondent_id", intake.meta["respondent_id"].iloc[here])
        yield part


def one_item(study: StudyFolder, intake: Intake, kept: pd.Series, item: str) -> pd.DataFrame:
    """Return one item of the rows kept, turned if it is keyed the other way."""
    return reverse_coded(study, intake.answers[item][kept].to_frame())


def ours(folder: Path) -> dict[str, object]:
    """Read, mark, exclude, score and describe one study; return seconds and memory."""
    study, stages = read_folder(folder), {}
    warm = peak_mb()
    with timed(stages, "read"):
        intake = read_source(study, study.spec.data)
    read_peak = peak_mb()
    with timed(stages, "mark"):
        marks = mark_responses(study, intake.meta, intake.answers)
        cleaned = exclude_marked(marks, study.spec.screening)
    with timed(stages, "score"):
        scores = sum(
            len(scale_scores(study, reverse_coded(study, part)))
            for part in kept_blocks(intake, cleaned.kept)
        )
    with timed(stages, "describe"):
        described = sum(
            len(describe_items(study, one_item(study, intake, cleaned.kept, item), items=[item]))
            for item in scale_items(study)
        )
    return {"stages": stages, "peak_mb": peak_mb() - warm, "read_peak_mb": read_peak - warm,
            "n": cleaned.n_received, "kept": cleaned.n_analysed, "items": described,
            "scored": scores}  # fmt: skip


def rival(folder: Path) -> dict[str, object]:
    """Read the same file by pandas alone, header rows passed over."""
    stages: dict[str, float] = {}
    warm = peak_mb()
    with timed(stages, "read"):
        table = pd.read_csv(folder / "raw" / "main.csv", skiprows=[1, 2])
    return {"stages": stages, "peak_mb": peak_mb() - warm, "n": len(table)}


WORKERS: dict[str, Callable[[Path], dict[str, object]]] = {"ours": ours, "pandas": rival}


def run(kind: str, folder: Path) -> dict[str, object]:
    """Run one side in a process of its own."""
    command = [sys.executable, __file__, "--worker", kind, "--folder", str(folder)]
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def exponent(sizes: list[int], seconds: list[float]) -> float:
    """Return the slope of log seconds on log rows; 1 is linear growth."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def report(sizes: list[int], place: Path) -> None:
    """Measure every size and print the table."""
    print("rows       file MB  pandas s  read s  ratio  mark s  score s  describe s  "
          "peak MB  peak/file  (reading alone)")  # fmt: skip
    totals, reads = [], []
    for n in sizes:
        folder = place / f"rows_{n}"
        file = folder / "raw" / "main.csv"
        size = (file if file.exists() else write_study(folder, n)).stat().st_size / MB
        theirs, mine = run("pandas", folder), run("ours", folder)
        s, base = mine["stages"], theirs["stages"]["read"]
        totals.append(sum(s.values()))
        reads.append(s["read"])
        print(f"{n:<10,} {size:7.1f}  {base:8.2f}  {s['read']:6.2f}  {s['read'] / base:5.2f}  "
              f"{s['mark']:6.2f}  {s['score']:7.2f}  {s['describe']:10.2f}  "
              f"{mine['peak_mb']:7.0f}  {mine['peak_mb'] / size:9.2f}  "
              f"({mine['read_peak_mb'] / size:.2f})")  # fmt: skip
    if len(sizes) > 1:
        print(f"growth with rows, exponent: reading {exponent(sizes, reads):.2f}, "
              f"all {exponent(sizes, totals):.2f} (1 is linear)")  # fmt: skip


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small files only")
    parser.add_argument("--rows", type=int, nargs="+", help="numbers of rows")
    parser.add_argument("--folder", type=Path, help="where the files are written and kept")
    parser.add_argument("--worker", choices=WORKERS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        print(json.dumps(WORKERS[given.worker](given.folder)))
        return
    sizes = given.rows or list(QUICK if given.quick else FULL)
    if given.folder:
        report(sizes, given.folder)
        return
    with tempfile.TemporaryDirectory() as place:
        report(sizes, Path(place))


if __name__ == "__main__":
    main()
