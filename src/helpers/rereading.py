"""The kernel's side of reading a notebook twice: remember, clear the table, read again."""

from __future__ import annotations

from IPython import get_ipython

from helpers import memo

_names_before: set[str] = set()


def start_remembering() -> None:
    """Remember results from here on; called before a notebook's first cell."""
    shell = get_ipython()
    _names_before.clear()
    _names_before.update({} if shell is None else shell.user_ns)
    memo.start()


def clear_names() -> None:
    """Forget what the notebook's cells defined, so that the next reading begins where it did."""
    shell = get_ipython()
    if shell is None:
        return
    for name in {*shell.user_ns} - _names_before:
        if not name.startswith("_"):
            del shell.user_ns[name]
