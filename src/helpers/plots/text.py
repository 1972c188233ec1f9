"""Breaking labels into lines, Latin and Chinese."""

from __future__ import annotations

import textwrap
import unicodedata


def display_width(text: str) -> int:
    """Return the width in half-width letters: a hanzi counts two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def wrap(text: str, width: int) -> str:
    """Break a label into lines of at most ``width`` half-width letters.

    Words are never cut; Chinese text without spaces is cut between characters into lines of
    nearly equal length.
    """
    lines: list[str] = []
    for paragraph in str(text).split("\n"):
        if display_width(paragraph) <= width:
            lines.append(paragraph)
        elif _mostly_wide(paragraph):
            lines += _even_pieces(paragraph, width)
        else:
            lines += textwrap.wrap(paragraph, width, break_long_words=False) or [""]
    return "\n".join(lines)


def _mostly_wide(text: str) -> bool:
    """Tell whether at least half of the letters are full-width."""
    return display_width(text) >= 1.5 * len(text)


def _even_pieces(text: str, width: int) -> list[str]:
    """Cut text between characters into pieces of nearly equal width."""
    count = -(-display_width(text) // width)
    goal = display_width(text) / count
    pieces, piece = [], ""
    for letter in text:
        if piece and display_width(piece) + display_width(letter) / 2 > goal:
            pieces.append(piece)
            piece = ""
        piece += letter
    return [*pieces, piece]
