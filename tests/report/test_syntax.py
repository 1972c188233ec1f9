"""Contract: threads that read Python at the same time do not disturb one another."""

import gc
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers.report.syntax import literal, parsed

SOURCE = "\n".join(f"x{i} = [{', '.join('((1 + 2) * 3)' for _ in range(20))}]" for i in range(300))


@pytest.fixture
def hasty():
    """Let another thread take its turn whenever the collector of garbage runs, which it often does.

    Any finaliser that is written in Python gives such a turn.
    """

    def turn(_phase, _info):
        time.sleep(0)

    before = gc.get_threshold()
    gc.callbacks.append(turn)
    gc.set_threshold(50)
    yield
    gc.set_threshold(*before)
    gc.callbacks.remove(turn)


@pytest.mark.slow
def test_two_texts_may_be_asked_for_at_once(hasty):
    # Plain ast.parse ends in a SystemError here with CPython 3.11.
    with ThreadPoolExecutor(4) as pool:
        trees = list(pool.map(lambda _i: parsed(SOURCE), range(12)))
    assert [len(tree.body) for tree in trees] == [300] * 12


def test_what_is_no_literal_and_no_python_is_refused():
    assert literal(" [1, 'a']") == [1, "a"]
    with pytest.raises(ValueError):
        literal("open('x')")
    with pytest.raises(SyntaxError):
        parsed("1 +")
