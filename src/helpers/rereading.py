"""The kernel's side of reading a notebook twice: remember, clear the table, read again."""

from __future__ import annotations

from collections.abc import Callable

from IPython import get_ipython

from helpers import memo

_names_before: set[str] = set()
_transformers_before: list[Callable[[list[str]], list[str]]] = []


def start_remembering() -> None:
    """Remember results from here on; called before a notebook's first cell."""
    shell = get_ipython()
    _names_before.clear()
    _names_before.update({} if shell is None else shell.user_ns)
    _transformers_before[:] = [] if shell is None else shell.input_transformers_post
    memo.start()


def clear_names() -> None:
    """Forget what the notebook's cells defined, so that the next reading begins where it did.

    A notebook that did not apply has turned its later cells into nothing; that ends here as well.
    """
    shell = get_ipython()
    if shell is None:
        return
    shell.input_transformers_post[:] = _transformers_before
    for name in {*shell.user_ns} - _names_before:
        if not name.startswith("_"):
            del shell.user_ns[name]
