"""The ``study`` command: parse, call, exit code.

Exit code 0 only if everything asked for was made; 1 if a report failed; 2 for wrong use.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from helpers.commands.batch import add_batch
from helpers.commands.check import add_check
from helpers.commands.own_data import add_own_data
from helpers.commands.student import add_student
from helpers.errors import SuiteError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if options.command == "lab":
        options.jupyter = rest
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        with _every_end_an_interrupt():
            return options.call(options)
    except SuiteError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print("study: stopped; pages that were finished are whole.", file=sys.stderr)
        return 128 + stop.args[0] if stop.args else INTERRUPTED


@contextmanager
def _every_end_an_interrupt() -> Iterator[None]:
    """Let SIGTERM and the end of a login stop a command as Ctrl-C does: nothing is left behind.

    What is ignored (as under ``nohup``) stays ignored.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt(number)

    here = threading.current_thread() is threading.main_thread()
    named = ("SIGTERM", "SIGHUP") if here else ()  # Windows has no SIGHUP
    ends = [getattr(signal, name) for name in named if hasattr(signal, name)]
    caught = [end for end in ends if signal.getsignal(end) is signal.SIG_DFL]
    for end in caught:
        signal.signal(end, stop)
    try:
        yield
    finally:
        for end in caught:
            signal.signal(end, signal.SIG_DFL)


def _run(options: argparse.Namespace) -> int:
    """Render a study."""
    from helpers import paths
    from helpers.report.facts import NEVER
    from helpers.report.parameters import parse_settings
    from helpers.report.request import make_requests
    from helpers.report.run import run

    settings = parse_settings(options.set)
    if options.scheduler:
        settings["scheduler"] = options.scheduler
    requests = make_requests(
        options.study, config=options.config, only=options.only, language=options.language,
        formats=options.format, settings=settings, workers=options.workers,
        out=options.out, fresh=options.fresh, plain_kernels=options.plain_kernels,
    )  # fmt: skip
    outcomes = run(*requests)
    if outcomes[0].why_plain and not options.plain_kernels:
        print(f"Ordinary kernels were used: {outcomes[0].why_plain}.", file=sys.stderr)
    for outcome in outcomes:
        for name, reasons in outcome.why.items():
            if reasons and reasons != [NEVER]:
                print(f"{name}: run again: {'; '.join(reasons)}")
        for name in outcome.failed:
            print(f"failed: {name}; its page says why.", file=sys.stderr)
        total = len(outcome.made) + len(outcome.failed)
        index = outcome.folder / "index.html"
        shown = index if options.out else paths.shown(index)
        print(f"{len(outcome.made)} of {total} pages in {outcome.seconds:.1f} s: {shown}")
    return max(outcome.exit_code for outcome in outcomes)


def _list(options: argparse.Namespace) -> int:
    """List the studies."""
    from helpers.study import list_studies

    print("\n".join(list_studies()))
    return 0


def _simulate(options: argparse.Namespace) -> int:
    """Write the simulated study's raw files."""
    from helpers import paths
    from helpers.survey.simulate import simulate_study

    folder = Path(options.out) if options.out else paths.data_folder() / "online_shopping"
    for path in simulate_study(folder, seed=options.seed, n=options.n):
        print(path if options.out else paths.shown(path))
    return 0


def _verify(options: argparse.Namespace) -> int:
    """Fit the studies' models with other programs and print the largest differences."""
    from helpers import load_study
    from helpers.sem.outside import lavaan_version
    from helpers.sem.verify import verdict, verify_studies
    from helpers.study import list_studies

    names = options.studies or list_studies()
    table = verify_studies([load_study(name) for name in names])
    print(table.to_string(index=False, na_rep="-", float_format="{:.1e}".format))
    found = lavaan_version()
    if not isinstance(found, str):
        print(f"lavaan was not used: {found.why}.")
    text, agrees = verdict(table)
    print(text)
    return 0 if agrees else 1


def _diff(options: argparse.Namespace) -> int:
    """Compare two runs; exit code 0 if every result is the same, 1 if not."""
    import json

    from helpers.report.diff import compare_runs

    found = compare_runs(Path(options.first), Path(options.second))
    if options.json:
        print(json.dumps(found.to_dict(), ensure_ascii=False, indent=1))
    else:
        print("\n".join(found.lines(most=options.most)))
    return 0 if found.same else 1


def _lab(options: argparse.Namespace) -> int:
    """Open JupyterLab at the first notebook."""
    from helpers.report.lab import open_lab

    return open_lab(options.jupyter)


def _words(text: str) -> list[str]:
    """Split a comma-separated option."""
    return [word.strip() for word in text.split(",") if word.strip()]


def _parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(prog="study", description="Service-recovery notebooks.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    add_batch(commands)
    add_check(commands)
    commands.add_parser("list", help="list the studies").set_defaults(call=_list)
    simulate = commands.add_parser("simulate", help="write the simulated study's raw files")
    simulate.add_argument("--out", metavar="DIR", help="a study folder elsewhere")
    simulate.add_argument("--seed", type=int, help="in place of the one in population.yml")
    simulate.add_argument("--n", type=int, help="responses, in place of population.yml")
    simulate.set_defaults(call=_simulate)
    verify = commands.add_parser("verify", help="hold the studies' models against other programs")
    verify.add_argument("studies", nargs="*", metavar="STUDY", help="(default: all)")
    verify.set_defaults(call=_verify)
    diff = commands.add_parser("diff", help="which numbers differ between two runs, and why")
    diff.add_argument("first", metavar="RUN_A", help="folder of a run")
    diff.add_argument("second", metavar="RUN_B", help="folder of another run")
    diff.add_argument("--json", action="store_true", help="everything, for programs")
    diff.add_argument("--most", type=int, default=40, metavar="N", help="changes a notebook")
    diff.set_defaults(call=_diff)
    add_own_data(commands)
    add_student(commands, _words)
    lab = commands.add_parser("lab", help="open JupyterLab at notebook 00; takes its options too")
    lab.set_defaults(call=_lab)
    return parser


def _add_run(commands: argparse._SubParsersAction) -> None:
    """Add the options of ``study run``."""
    run = commands.add_parser("run", help="render a study into reports/<study>/<run>/")
    run.add_argument("study", nargs="?", help="folder below data/ (default: online_shopping)")
    run.add_argument("--config", metavar="F", help="file or name in reports/configs")
    run.add_argument("--only", type=_words, default=[], metavar="50,51", help="these notebooks")
    run.add_argument("--language", metavar="en|zh|en,zh", help="of the pages, one or both")
    run.add_argument(
        "--format", type=_words, default=[], metavar="html,pdf,docx", help="kinds of file"
    )
    run.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="parameter")
    run.add_argument("--workers", type=int, metavar="N", help="notebooks at once (default: 2)")
    run.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask cluster for what runs in blocks (default: here)",
    )
    run.add_argument("--out", metavar="DIR", help="folder in place of reports/")
    run.add_argument("--fresh", action="store_true", help="remove earlier pages of the run first")
    run.add_argument("--plain-kernels", action="store_true", help="start each kernel anew")
    run.set_defaults(call=_run)


if __name__ == "__main__":
    sys.exit(main())
