"""A study to be, as it grows: items, scales, constructs, and the guesses behind them."""

from __future__ import annotations

from dataclasses import dataclass, field

from helpers.survey.new.columns import Column
from helpers.survey.new.guess import Guess


@dataclass(slots=True)
class Item:
    """One row of ``items.csv`` to be."""

    name: str
    column: str
    wording: str
    scale: str
    construct: str = ""
    missing: dict[int, str] = field(default_factory=dict)
    shown_if: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Proposal:
    """A study to be, before it is written.

    Attributes
    ----------
    items : dict
        Item name -> item.
    kinds : dict
        Item name -> what the column was taken for.
    scales : dict
        Scale name -> the column that stands for it.
    constructs : dict
        Code -> stem.
    groups, controls : list of str
        Items.
    quasi : list of str
        Items that outsiders may know.
    screening : dict
        Keys of ``screening``.
    guesses : list of Guess
        Everything guessed, in order.
    """

    items: dict[str, Item] = field(default_factory=dict)
    kinds: dict[str, Column] = field(default_factory=dict)
    scales: dict[str, Column] = field(default_factory=dict)
    constructs: dict[str, str] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    controls: list[str] = field(default_factory=list)
    quasi: list[str] = field(default_factory=list)
    screening: dict[str, object] = field(default_factory=dict)
    guesses: list[Guess] = field(default_factory=list)

    def add(self, guess: Guess) -> None:
        """Take up a guess, and note it at its item."""
        self.guesses.append(guess)
        if guess.place in self.items:
            self.items[guess.place].notes.append(guess.note())
