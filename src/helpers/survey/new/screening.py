"""Consent, screening, attention checks and branches, as far as wordings and blanks show them."""

from __future__ import annotations

import re

import pandas as pd

from helpers.survey.new.columns import Column
from helpers.survey.new.draft import Item, Proposal
from helpers.survey.new.guess import Guess
from helpers.survey.new.words import ATTENTION, CONSENT, SCREENER, YES
from helpers.survey.readers.answers import plain

_FIRST = 6
"""Consent and screening stand among the first questions."""

_STOPPED = 0.8
"""Share of later questions left blank by those whom a screening question sends away."""

_NEVER, _NEARLY_ALL = 0.02, 0.8
"""Shares of answers that tell who was not asked, and who was."""

_MOST_BRANCH_CODES = 6

_FEWEST = 5
"""Respondents behind each code of a question before it can tell who was asked another."""


def guess_screening(proposal: Proposal) -> set[str]:
    """Fill ``screening`` of a proposal and return the items that are no measurements."""
    checks: set[str] = set()
    attention = []
    for place, (name, item) in enumerate(proposal.items.items()):
        column = proposal.kinds[name]
        if place < _FIRST and column.kind == "category" and column.values.nunique() <= 3:
            if _gate(proposal, name, item, column):
                checks.add(name)
        elif ATTENTION.search(item.wording) and column.kind in ("likert", "category"):
            checks.add(name)
            code = _instructed(item.wording, column)
            if code is not None:
                attention.append({"item": name, "accept": [code]})
                because = f"its wording asks for {code}"
                proposal.add(
                    Guess(name, f"attention check, {code} passes", because, True,
                          ("an ordinary item",))
                )  # fmt: skip
            else:
                because = "its wording asks for an answer, but not for one of its labels"
                proposal.add(Guess(name, "no part of a construct", because))
    if attention:
        proposal.screening["attention"] = attention
        because = (
            "the checks above are guesses; failing them is marked, not yet a reason to exclude"
        )
        proposal.add(
            Guess("screening.exclude", "without failed_attention", because, True,
                  ("add failed_attention",))
        )  # fmt: skip
    return checks


def _gate(proposal: Proposal, name: str, item: Item, column: Column) -> str:
    """Return ``consent`` or ``screener`` if an item is one, and note it in the proposal."""
    yes = [code for code, text in column.labels.items() if YES.search(text.strip())]
    stops = _stopped(proposal, name, column)
    accept = yes or [c for c in column.labels if c not in stops]
    if CONSENT.search(item.wording) or CONSENT.search(item.column):
        kind, because, sure = "consent", "its wording asks for consent", bool(yes or stops)
    elif stops and len(stops) < len(column.labels):
        accept = [c for c in column.labels if c not in stops]
        because = f"whoever chose {', '.join(map(str, stops))} left most of the rest blank"
        kind, sure = "screener", bool(SCREENER.search(item.wording))
    elif SCREENER.search(item.wording) and yes:
        kind, because, sure = "screener", "its wording asks who belongs to the sample", False
    else:
        return ""
    if kind in proposal.screening or not accept:
        return ""
    numbers = all(text == str(code) for code, text in column.labels.items())
    accept = [min(column.labels)] if kind == "consent" and numbers and not stops else accept
    proposal.screening[kind] = {"item": name, "accept": accept}
    found = f"{kind}, {', '.join(map(str, accept))} passes"
    proposal.guesses.append(Guess(f"screening.{kind}", found, because, sure, ("a question",)))
    item.notes.append(proposal.guesses[-1].note())
    return kind


def _stopped(proposal: Proposal, name: str, column: Column) -> list[int]:
    """Return the codes after which nearly everything is left blank."""
    names = list(proposal.items)
    later = [proposal.kinds[n].values for n in names[names.index(name) + 1 :]]
    later = [v for v in later if v.notna().any()]
    if len(later) < 3:
        return []
    blank = pd.concat(later, axis=1).isna().mean(axis=1)
    by_code = blank.groupby(column.values).median()
    return [int(c) for c, share in by_code.items() if share >= _STOPPED]


def _instructed(wording: str, column: Column) -> int | None:
    """Return the code that an attention check asks for: by number, or by label."""
    codes = range(int(column.low or 0), int(column.high or 0) + 1)
    number = re.search(r"[（(](\d{1,2})[)）]", wording)
    if number and int(number[1]) in codes:
        return int(number[1])
    quoted = re.findall(r"[\"“‘'「]([^\"”’'」]+)[\"”’'」]", wording)
    labels = {plain(text): code for code, text in column.labels.items()}
    hits = [labels[plain(q)] for q in quoted if plain(q) in labels]
    if hits:
        return hits[0]
    said = [q for q in quoted if q.strip().isdigit() and int(q) in codes]
    after = re.search(r"(?:choose|select|tick|选|选择)\D{0,12}(\d{1,2})\b", wording)
    if said:
        return int(said[0])
    if after and int(after[1]) in codes:
        return int(after[1])
    inside = sorted((t for t in labels if t and t in plain(wording)), key=len)
    return labels[inside[-1]] if inside else None


def guess_branches(proposal: Proposal, checks: set[str]) -> None:
    """Fill ``shown_if`` where a question is answered after some codes and never after others."""
    names = [n for n in proposal.items if n not in checks]
    gates = {n: proposal.kinds[n] for n in names if _can_branch(proposal.kinds[n])}
    for place, name in enumerate(names):
        values = proposal.kinds[name].values
        if proposal.kinds[name].kind in ("text", "multiple") or not 0.1 < values.isna().mean() < 1:
            continue
        for gate in names[:place]:
            if gate not in gates:
                continue
            asked = _asked_after(gates[gate].values, values.notna())
            if asked:
                rule = f"{gate}={'|'.join(map(str, asked))}"
                proposal.items[name].shown_if = rule
                because = f"it is answered only after {rule}"
                proposal.add(Guess(name, f"shown_if {rule}", because, True, ("asked of all",)))
                break


def _can_branch(column: Column) -> bool:
    """Tell whether a question can decide who is asked a later one."""
    counts = column.values.value_counts()
    few = 2 <= len(counts) <= _MOST_BRANCH_CODES
    return column.kind in ("category", "likert") and few and counts.min() >= _FEWEST


def _asked_after(gate: pd.Series, answered: pd.Series) -> list[int]:
    """Return the codes after which a question was asked, if the others never led to it."""
    share = answered.groupby(gate).mean()
    never = share[share <= _NEVER].index
    asked = share[share >= _NEARLY_ALL].index
    return [int(c) for c in asked] if len(never) and len(never) + len(asked) == len(share) else []
