"""What ``study new`` holds to be so, how sure it is, and what else it could be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from helpers.errors import listing

REVIEW = "REVIEW:"
"""Stands in study.yml (as a comment) and in items.csv (column review) at everything guessed."""


@dataclass(frozen=True, slots=True)
class Guess:
    """One guess.

    Attributes
    ----------
    place : str
        Where it stands: a key of study.yml, or an item of items.csv.
    found : str
        What was written there.
    because : str
        What it rests on.
    sure : bool
        Whether the file leaves hardly another reading; still to be confirmed.
    alternatives : tuple of str
        What else it could be.
    """

    place: str
    found: str
    because: str
    sure: bool = False
    alternatives: tuple[str, ...] = ()

    def note(self) -> str:
        """Return what stands beside the guess in the file, in one line."""
        words = f"{self.because}; {'likely' if self.sure else 'unsure'}"
        if self.alternatives:
            words += "; else " + ", ".join(self.alternatives)
        return f"{REVIEW} {' '.join(words.split())}"


def listed(guesses: Iterable[Guess]) -> list[str]:
    """Return guesses as lines for the terminal: alike ones in one line, unsure ones first."""
    places: dict[tuple[bool, str, str, tuple[str, ...]], list[str]] = {}
    for guess in guesses:
        key = (guess.sure, guess.found, guess.because, guess.alternatives)
        places.setdefault(key, []).append(guess.place)
    lines = []
    for (sure, found, because, alternatives), names in sorted(places.items(), key=_unsure_first):
        other = f" Else: {', '.join(alternatives)}." if alternatives else ""
        how = "likely" if sure else "unsure"
        lines.append(f"{how}  {listing(names, most=6)}: {found}, because {because}.{other}")
    return lines


def _unsure_first(entry: tuple[tuple, list[str]]) -> bool:
    return entry[0][0]
