"""Python read as syntax, one text at a time.

In CPython 3.11 two threads that parse at once can end in ``SystemError: AST constructor recursion
depth mismatch``, because they share one counter; the reports of a batch are made on threads.
"""

from __future__ import annotations

import ast
import threading
from typing import Any

_alone = threading.Lock()


def parsed(source: str) -> ast.Module:
    """Return a text as syntax; raise ``SyntaxError`` if it is no Python."""
    with _alone:
        return ast.parse(source)


def literal(source: str) -> Any:
    """Return the value of a literal; raise ``ValueError`` or ``SyntaxError`` if it is none."""
    with _alone:
        return ast.literal_eval(source)
