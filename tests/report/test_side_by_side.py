"""Pages are written while the next notebook runs; no more notebooks run at once than allowed."""

import threading

import pytest

from helpers.report import run as running
from helpers.report.book import Book

WAIT = 20


@pytest.fixture
def watched(monkeypatch):
    """Stand-ins for execution and writing that tell who runs, and that wait for one another."""
    seen = {"now": 0, "most": 0, "begun": 0}
    counting, second = threading.Lock(), threading.Event()
    execute, add = running.execute, Book.add

    def executing(source, **options):
        with counting:
            seen["now"] += 1
            seen["begun"] += 1
            seen["most"] = max(seen["most"], seen["now"])
            if seen["begun"] == 2:
                second.set()
        try:
            return execute(source, **options)
        finally:
            with counting:
                seen["now"] -= 1

    def adding(book, job, done):
        seen["overlapped"] = second.wait(WAIT)
        return add(book, job, done)

    monkeypatch.setattr(running, "execute", executing)
    monkeypatch.setattr(Book, "add", adding)
    return seen


def test_a_run_writes_pages_while_the_next_notebook_runs(project, study, watched):
    for name in ("10_first", "20_second", "30_third"):
        project.notebook(name, "1")
    code, _out, _err = study("run", "toy", "--workers", "1", "--plain-kernels")
    assert code == 0
    assert watched["most"] == 1 and watched["begun"] == 3
    assert watched["overlapped"]


@pytest.mark.slow
def test_a_batch_does_so_across_reports(project, study, watched):
    project.notebook("10_first", "n_boot")
    (project.root / "b.yml").write_text(
        "name: b\nstudy: toy\nmatrix: {n_boot: [1, 2, 3]}\nlanguages: [en]\n", encoding="utf-8"
    )
    code, _out, _err = study(
        "batch", str(project.root / "b.yml"), "--workers", "1", "--plain-kernels"
    )
    assert code == 0
    assert watched["most"] == 1 and watched["begun"] == 3
    assert watched["overlapped"]


def test_waiting_for_others_is_not_a_reports_time(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(running.time, "monotonic", lambda: now[0])
    clock = running._Clock(60.0)
    assert clock.left() == 60.0
    with clock.stopped():
        now[0] += 45.0
    now[0] += 5.0
    assert clock.left() == 55.0
