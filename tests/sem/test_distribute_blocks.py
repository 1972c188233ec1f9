"""Blocks run here, on processes, or on a cluster: equal numbers, kept blocks, clear refusals."""

import os
import signal
from functools import partial

import numpy as np
import pytest

from helpers import workers as workers_module
from helpers.errors import EstimationError
from helpers.i18n import in_language, language
from helpers.workers import MOST_LOSSES, run_blocks

SEEDS = list(range(7))


def draw(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=3)


def note_and_square(folder, x: int) -> int:
    """Leave one line for every time the block is run."""
    with open(folder / "log", "a") as log:
        log.write(f"{x}\n")
    return x * x


def fail_at(folder, bad: int, x: int) -> int:
    if x == bad and not (folder / "mended").exists():
        raise EstimationError(f"block {x}")
    return note_and_square(folder, x)


def die_once(folder, x: int) -> int:
    mark = folder / f"died-{x}"
    if x == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return note_and_square(folder, x)


def die(x: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return x


def spoken(x: int) -> str:
    return language()


def runs(folder) -> list[int]:
    return sorted(int(line) for line in (folder / "log").read_text().split())


# property: where blocks run changes nothing


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_numbers_are_equal_on_any_number_of_processes(workers):
    found = run_blocks(draw, SEEDS, workers=workers)
    assert np.array_equal(found, [np.random.default_rng(s).normal(size=3) for s in SEEDS])


def test_systems_without_fork_give_the_same_numbers(monkeypatch):
    monkeypatch.setattr(workers_module, "get_all_start_methods", lambda: ["spawn"])
    assert run_blocks(partial(pow, 2), SEEDS, workers=2) == [2**k for k in SEEDS]


def test_no_blocks_give_no_results():
    assert run_blocks(draw, [], workers=2) == []


def test_progress_counts_every_block():
    seen = []
    run_blocks(draw, SEEDS, workers=2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(k, len(SEEDS)) for k in range(1, len(SEEDS) + 1)]


def test_processes_speak_the_language_of_the_caller():
    with in_language("zh"):
        assert run_blocks(spoken, [1, 2], workers=2) == ["zh", "zh"]


# contract: finished blocks are kept


def test_kept_blocks_are_not_run_again(tmp_path):
    function = partial(note_and_square, tmp_path)
    first = run_blocks(function, [1, 2, 3], keep=tmp_path / "kept")
    second = run_blocks(function, [3, 1, 4, 2], keep=tmp_path / "kept")
    assert (first, second) == ([1, 4, 9], [9, 1, 16, 4])
    assert runs(tmp_path) == [1, 2, 3, 4]


def test_a_run_cut_short_continues(tmp_path):
    function = partial(fail_at, tmp_path, 2)
    with pytest.raises(EstimationError, match="block 2"):
        run_blocks(function, [0, 1, 2, 3], keep=tmp_path / "kept")
    assert runs(tmp_path) == [0, 1]
    (tmp_path / "mended").touch()
    assert run_blocks(function, [0, 1, 2, 3], keep=tmp_path / "kept") == [0, 1, 4, 9]
    assert runs(tmp_path) == [0, 1, 2, 3]


def test_another_function_or_argument_has_its_own_blocks(tmp_path):
    run_blocks(partial(note_and_square, tmp_path), [1], keep=tmp_path / "kept")
    run_blocks(partial(fail_at, tmp_path, 9), [1], keep=tmp_path / "kept")
    run_blocks(partial(fail_at, tmp_path, 8), [1], keep=tmp_path / "kept")
    assert runs(tmp_path) == [1, 1, 1]


def test_a_damaged_file_is_computed_anew(tmp_path):
    run_blocks(partial(note_and_square, tmp_path), [5], keep=tmp_path / "kept")
    (file,) = (tmp_path / "kept").iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    assert run_blocks(partial(note_and_square, tmp_path), [5], keep=tmp_path / "kept") == [25]
    assert runs(tmp_path) == [5, 5]


def test_equal_blocks_share_a_file_whatever_objects_they_are_made_of(tmp_path):
    word = "".join(["a", "b"])
    run_blocks(len, [(word, word)], keep=tmp_path)
    run_blocks(len, [("ab", "".join(["a", "b"]))], keep=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


# contract: lost processes


def test_a_lost_process_loses_no_finished_block(tmp_path):
    function = partial(die_once, tmp_path)
    found = run_blocks(function, list(range(6)), workers=2, keep=tmp_path / "kept")
    assert found == [x * x for x in range(6)]
    assert (tmp_path / "died-3").exists()


def test_processes_that_keep_dying_are_an_error():
    with pytest.raises(EstimationError, match=f"died {MOST_LOSSES} times, 2 blocks are not done"):
        run_blocks(die, [1, 2], workers=2)


# contract: bad input


@pytest.mark.parametrize("workers", [0, -1, 1.5])
def test_workers_must_be_a_count(workers):
    with pytest.raises(EstimationError, match="workers= is .*1 or more, is needed"):
        run_blocks(draw, SEEDS, workers=workers)


def test_what_a_block_raises_is_passed_on(tmp_path):
    with pytest.raises(EstimationError, match="block 2"):
        run_blocks(partial(fail_at, tmp_path, 2), [1, 2, 3], workers=2)
