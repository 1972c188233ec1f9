"""``study batch``: many reports from one configuration."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helpers.report.batch.runner import BatchOutcome


def add_batch(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    batch = commands.add_parser("batch", help="render many reports from one configuration")
    batch.add_argument("config", metavar="CONFIG", help="file, or name in reports/configs")
    batch.add_argument("--workers", type=int, metavar="N", help="reports at once (default: 2)")
    batch.add_argument("--scheduler", metavar="ADDRESS", help="Dask cluster that makes the reports")
    batch.add_argument("--resume", action="store_true", help="leave finished reports alone")
    batch.add_argument("--fresh", action="store_true", help="use no kept notebooks")
    batch.add_argument("--out", metavar="DIR", help="folder in place of reports/")
    batch.add_argument("--plain-kernels", action="store_true", help="start each kernel anew")
    batch.add_argument(
        "--allow-outside", action="store_true", help="the file may name places out of the project"
    )
    batch.set_defaults(call=_batch)


def _batch(options: argparse.Namespace) -> int:
    """Run a batch and say what became of it."""
    import os

    from helpers.errors import ReportError
    from helpers.report.batch import read_batch, run_batch
    from helpers.report.batch.expand import expand

    batch = read_batch(Path(options.config), out=options.out, allow_outside=options.allow_outside)
    workers = options.workers if options.workers is not None else batch.spec.workers
    if workers is not None and workers < 1:
        raise ReportError(f"study batch: workers= is {workers}; at least 1 is needed.")
    reports = expand(batch, plain_kernels=options.plain_kernels, fresh=options.fresh)
    outcome = run_batch(
        batch, reports, workers=workers or min(os.cpu_count() or 1, 2),
        scheduler=options.scheduler, resume=options.resume, tell=print,
    )  # fmt: skip
    if outcome.why_plain and not options.plain_kernels:
        print(f"Ordinary kernels were used: {outcome.why_plain}.", file=sys.stderr)
    _tell_absent(outcome, batch.spec.key_numbers)
    _tell(outcome, total=len(reports), absolute=bool(options.out))
    return outcome.exit_code


def _tell_absent(outcome: BatchOutcome, key_numbers: Sequence[str]) -> None:
    """Print the key numbers that no report holds, so that a slip of the pen is seen."""
    made = outcome.named("made")
    found = [number["id"] for name in made for number in outcome.lines[name]["numbers"]]
    for name in key_numbers if made else ():
        if not any(id == name or id.startswith(f"{name}.") for id in found):
            told = "no report holds it; the names stand in the reports' results.json."
            print(f"key number {name}: {told}", file=sys.stderr)


def _tell(outcome: BatchOutcome, *, total: int, absolute: bool) -> None:
    """Print failures, what was not reached, and the sum."""
    from helpers import paths

    for name in outcome.named("failed"):
        for failure in outcome.lines[name]["failures"]:
            where = f"{name} {failure['notebook']}".strip()
            print(f"failed: {where}: {failure['message']}", file=sys.stderr)
    if outcome.stopped:
        print(outcome.stopped, file=sys.stderr)
    for name in outcome.left:
        print(f"not made: {name}; call again with --resume.", file=sys.stderr)
    counts = {
        "made": len(outcome.named("made")),
        "without a result": len(outcome.named("not_applicable")),
        "failed": len(outcome.named("failed")),
        "not made": len(outcome.left),
    }
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    index = outcome.folder / "index.html"
    kept = f" ({len(outcome.kept)} kept)" if outcome.kept else ""
    reports = "1 report" if total == 1 else f"{total} reports"
    print(f"{reports}: {told}{kept}, in {outcome.seconds:.1f} s: ", end="")
    print(index if absolute else paths.shown(index))
