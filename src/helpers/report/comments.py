"""Comments of code cells in the language of the reader; help texts of parameters are comments."""

from __future__ import annotations

import io
import tokenize

from helpers.i18n import _


def with_translated_comments(source: str) -> str:
    """Return a code cell with every comment that the catalogue knows in the current language."""
    try:
        tokens = [*tokenize.generate_tokens(io.StringIO(source).readline)]
    except (tokenize.TokenError, SyntaxError):
        return source  # no valid Python, which running the cell tells
    lines = source.splitlines(keepends=True)
    for token in tokens:
        if token.type == tokenize.COMMENT:
            (row, column), text = token.start, token.string.removeprefix("# ")
            line = lines[row - 1]
            lines[row - 1] = line[:column] + line[column:].replace(text, _(text), 1)
    return "".join(lines)
