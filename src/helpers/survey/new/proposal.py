"""Everything that ``study new`` proposes, put together from the columns of an export."""

from __future__ import annotations

import re

from helpers.errors import DataContractError
from helpers.survey.new.columns import Column, read_column, share_words, value_table
from helpers.survey.new.draft import Item, Proposal
from helpers.survey.new.families import (
    Family,
    choice_label,
    families,
    grid_rows,
    is_generic,
    reverse_candidates,
    share_scale,
    split_choices,
)
from helpers.survey.new.guess import Guess
from helpers.survey.new.screening import guess_branches, guess_screening
from helpers.survey.new.words import GROUPING, demographic
from helpers.survey.readers.export import Export
from helpers.survey.readers.wenjuanxing import plain_header

_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_]*$")
_BRACKETED = re.compile(r"^.+?\[(.+)\]$")
_SPLIT_QUESTION = re.compile(r"^(第\d+题)\(.*\)$")
_NUMBERED = re.compile(r"^(\d+)\s*[、.]")
_LOOPED = re.compile(r"^(\d+)_([A-Za-z][A-Za-z0-9]*)$")
"""Qualtrics' names under loop and merge: the turn, then the question."""
_RESERVED = frozenset(
    {"id", "respondent_id", "started_at", "duration_s", "language", "excluded_by"}
)


def propose(export: Export, *, place: str) -> Proposal:
    """Propose items, scales, constructs, groups and controls for an export.

    Raises
    ------
    DataContractError
        The file holds no question, only what the platform adds.
    """
    named = [c for c in export.answers if plain_header(c) != "" or not _is_blank(export, c)]
    if not named:
        raise DataContractError(
            f"new_study: from= {place} holds no question, only what the platform adds; at least "
            "one answered question is needed. Export the answers too."
        )
    columns = {name: read_column(export, name) for name in named}
    proposal = Proposal()
    split = split_choices(named, columns)
    taken = {c for group in split.values() for c in group.values()}
    groups = families({n: c for n, c in columns.items() if n not in taken})
    share_words(columns, [group.columns for group in groups])
    for group in groups:
        share_scale(group, columns)
        _without_shared_question(group, columns)
    names = _item_names([n for n in named if n not in taken] + list(split))
    rows = grid_rows(named)
    placed: set[str] = set()
    for name in named:
        base = next((b for b, group in split.items() if name in group.values()), None)
        if base is None:
            _add_item(proposal, names[name], columns[name], rows)
        elif base not in placed:
            placed.add(base)
            _add_split(proposal, names[base], base, split[base], columns)
    return _with_structure(proposal, groups, names)


def _without_shared_question(group: Family, columns: dict[str, Column]) -> None:
    """Cut the question that all rows of a family repeat in front of their own text."""
    heads = {columns[n].wording.rpartition(" - ")[0] for n in group.columns}
    if len(heads) == 1 and heads != {""}:
        for name in group.columns:
            columns[name].wording = columns[name].wording.rpartition(" - ")[2]
    hits = [_BRACKETED.match(columns[n].wording) for n in group.columns]
    if all(hits):
        for name, hit in zip(group.columns, hits, strict=True):
            columns[name].wording = hit[1]


def _is_blank(export: Export, column: str) -> bool:
    """Tell whether no cell of a column holds anything."""
    return all(str(text).strip() == "" for text in export.answers[column].unique())


def _item_names(columns: list[str]) -> dict[str, str]:
    """Return column -> item name: the column's own where it can serve in a formula."""
    rows = grid_rows(columns)
    names: dict[str, str] = {}
    for place, column in enumerate(columns, start=1):
        number = _NUMBERED.match(column)
        if column in rows:
            head, row, _text = rows[column]
            wanted = f"Q{_NUMBERED.match(head)[1]}_{row}"
        elif _NAME.match(column):
            wanted = column
        elif looped := _LOOPED.match(column):
            wanted = f"{looped[2]}_{looped[1]}"
        elif number:
            wanted = f"Q{number[1]}"
        else:
            wanted = re.sub(r"_?\[?SQ0*(\d+)\]?", r"_\1", column)
            wanted = re.sub(r"[^A-Za-z0-9]+", "_", wanted).strip("_")
            ascii_only = column.isascii() and 0 < len(wanted) <= 24 and wanted[0].isalpha()
            wanted = wanted if ascii_only else f"Q{place}"
        if wanted.lower() in _RESERVED:
            wanted = f"{wanted}_item"
        unique, k = wanted, 1
        while unique in names.values():
            k += 1
            unique = f"{wanted}_{k}"
        names[column] = unique
    return names


def _add_item(
    proposal: Proposal, name: str, column: Column, rows: dict[str, tuple[str, int, str]]
) -> None:
    """Add the item of one column, with its scale."""
    text = rows[column.name][2] if column.name in rows else _NUMBERED.sub("", column.wording)
    item = Item(
        name,
        column.name,
        text or _NUMBERED.sub("", column.name).strip(),
        "",
        missing=column.missing,
    )
    item.scale = _scale_name(proposal, column)
    proposal.items[name], proposal.kinds[name] = item, column
    if not column.sure and column.kind != "text":
        low, high = column.low, column.high
        ends = f" {low:g} to {high:g}" if column.kind in ("likert", "number") else ""
        proposal.add(Guess(name, f"{column.kind}{ends}", column.why, False, column.alternatives))
    if column.missing_guessed:
        codes = ", ".join(map(str, column.missing_guessed))
        because = "they stand far from all other answers"
        proposal.add(Guess(name, f"missing codes {codes}", because, True, ("answers",)))


def _add_split(
    proposal: Proposal, name: str, base: str, group: dict[int, str], columns: dict[str, Column]
) -> None:
    """Add the item of a question whose choices have a column each."""
    first = columns[group[1]] if 1 in group else columns[next(iter(group.values()))]
    labels = {k: choice_label(c) or _after_dash(columns[c].wording) or c for k, c in group.items()}
    asked = _SPLIT_QUESTION.sub(r"\1", first.wording.partition(" - ")[0])
    merged = Column(base, asked, "multiple", first.values, labels)
    boxes = any((columns[c].values == 0).any() for c in group.values())
    merged.why = f"{len(group)} columns hold {'0 and 1' if boxes else 'one answer or nothing'}"
    _add_item(proposal, name, merged, {})


def _after_dash(wording: str) -> str:
    """Return the choice behind the question."""
    return wording.rpartition(" - ")[2] if " - " in wording else ""


def _scale_name(proposal: Proposal, column: Column) -> str:
    """Return the name of a column's scale; columns alike share one."""
    key = (column.kind, column.low, column.high, tuple(column.labels.items()))
    if column.kind == "text":
        key = ("text",)
    for name, other in proposal.scales.items():
        same = (other.kind, other.low, other.high, tuple(other.labels.items()))
        if same == key or (column.kind == "text" == other.kind):
            return name
    stems = {"likert": f"scale{(column.high or 0) - (column.low or 0) + 1:g}", "text": "text"}
    stem = stems.get(column.kind) or f"{column.kind}"
    unique, k = stem, 1
    while unique in proposal.scales:
        k += 1
        unique = f"{stem}_{k}"
    proposal.scales[unique] = column
    return unique


def _with_structure(proposal: Proposal, groups: list[Family], names: dict[str, str]) -> Proposal:
    """Add constructs, groups, controls, screening and branches to the items."""
    checks = guess_screening(proposal)
    for group in groups:
        members = [names[c] for c in group.columns if c in names]
        members = [m for m in members if m not in checks]
        _add_construct(proposal, group, [m for m in members if proposal.kinds[m].kind == "likert"])
    _add_background(proposal, checks)
    guess_branches(proposal, checks)
    if not proposal.constructs:
        _add_some_construct(proposal)
    return proposal


def _add_construct(proposal: Proposal, group: Family, members: list[str]) -> None:
    """Add the construct of a family whose items share one span; some may bear labels alone."""
    spans = [(proposal.kinds[m].low, proposal.kinds[m].high) for m in members]
    if not spans:
        return
    commonest = max(spans, key=spans.count)
    members = [m for m, span in zip(members, spans, strict=True) if span == commonest]
    if len(members) < 2:
        return
    code = _code(group.stem, members, proposal)
    proposal.constructs[code] = group.stem
    for member in members:
        proposal.items[member].construct = code
    sure = not is_generic(group.stem)
    because = group.why if sure else "nothing else tells which items belong together"
    alternatives = () if sure else ("several constructs",)
    found = f"construct of {members[0]} to {members[-1]} ({len(members)} items)"
    proposal.add(Guess(f"constructs.{code}", found, because, sure, alternatives))
    values = value_table({m: proposal.kinds[m] for m in members})
    wordings = {m: proposal.items[m].wording for m in members}
    for guess in reverse_candidates(code, [m for m in members if m in values], values, wordings):
        proposal.add(guess)


def _code(stem: str, members: list[str], proposal: Proposal) -> str:
    """Return a code for a construct that no item and no other construct bears."""
    wanted = re.sub(r"[^A-Za-z0-9_]+", "_", stem).strip("_").upper()
    if not _NAME.match(wanted):
        wanted = members[0].partition("_")[0].upper() if _NAME.match(members[0]) else "C1"
    unique, k = wanted, 1
    while unique in proposal.constructs or unique in proposal.items:
        k += 1
        unique = f"{wanted}_F{k if k > 2 else ''}"
    return unique


def _add_background(proposal: Proposal, checks: set[str]) -> None:
    """Add groups, controls and what outsiders may know."""
    for name, item in proposal.items.items():
        column = proposal.kinds[name]
        if item.construct or name in checks or column.kind in ("text", "multiple"):
            continue
        about = demographic(item.column, column.wording)
        grouping = bool(GROUPING.search(item.column))
        n_codes = column.values.nunique()
        if column.kind == "category" and (grouping or about in ("gender",)) and 2 <= n_codes <= 12:
            proposal.groups.append(name)
            proposal.add(Guess(f"groups.{name}", "grouping", "its name or wording says so"))
        if about and column.values.notna().any():
            proposal.controls.append(name)
            proposal.quasi.append(name)
            because = f"its name or wording is about {about}"
            proposal.add(
                Guess(f"controls.{name}", "control, and known to outsiders", because, True)
            )


def _add_some_construct(proposal: Proposal) -> None:
    """Add one construct of one item, since a study file needs one."""
    order = {"likert": 0, "number": 1, "category": 2, "multiple": 3, "text": 4}
    about_people = set(proposal.controls) | set(proposal.groups)
    free = [n for n in proposal.items if n not in about_people] or list(proposal.items)
    name = min(free, key=lambda n: order[proposal.kinds[n].kind])
    proposal.constructs["C1"] = proposal.items[name].wording or name
    if proposal.kinds[name].kind == "likert":
        proposal.items[name].construct = "C1"
    because = "no columns form a scale of several items, and a study file needs a construct"
    proposal.add(Guess("constructs.C1", f"construct of {name}", because))
