"""Breaking labels into lines, Latin and Chinese."""

from __future__ import annotations

import unicodedata


def display_width(text: str) -> int:
    """Return the width in half-width letters: a hanzi counts two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def wrap(text: str, width: int) -> str:
    """Break a label into lines of at most ``width`` half-width letters.

    Breaks fall at spaces. Only a piece of Chinese that is too long by itself is cut between
    characters, into parts of nearly equal length; a Latin word is never cut.
    """
    lines: list[str] = []
    for paragraph in str(text).split("\n"):
        lines += _filled(paragraph, width) if display_width(paragraph) > width else [paragraph]
    return "\n".join(lines)


def _filled(text: str, width: int) -> list[str]:
    """Fill lines with words, greedily."""
    lines: list[str] = []
    line = ""
    for word in _words(text, width):
        longer = f"{line} {word}" if line else word
        if line and display_width(longer) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def _words(text: str, width: int) -> list[str]:
    """Split at spaces, and cut Chinese that does not fit on a line."""
    words: list[str] = []
    for word in text.split():
        fits = display_width(word) <= width or not _mostly_wide(word)
        words += [word] if fits else _even_pieces(word, width)
    return words


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
