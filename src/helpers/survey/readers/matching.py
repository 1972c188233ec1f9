"""Hold the columns of a file against the codebook: which are missing, unknown or labelled apart."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from helpers.specification import Scale
from helpers.survey.findings import Finding, Said, in_file, listed, meant, said
from helpers.survey.readers.answers import label_codes, plain
from helpers.survey.readers.assemble import IDENTIFIER
from helpers.survey.readers.export import Export
from helpers.survey.readers.multiple import split_columns


def match_columns(
    export: Export, items: pd.DataFrame, scales: Mapping[str, Scale], place: str
) -> tuple[dict[str, str | dict[int, str]], list[Finding]]:
    """Match the codebook's columns with the file's, both ways.

    Returns item -> column (or code -> column for split choices), and a finding for each item
    without a column and each column without an item.
    """
    header = list(export.answers.columns)
    matched: dict[str, str | dict[int, str]] = {}
    findings, used = [], set()
    for row in items.itertuples():
        scale = scales[row.scale]
        split = split_columns(row.column, scale, header) if scale.kind == "multiple" else {}
        if row.column in header:
            matched[row.item] = row.column
            used.add(row.column)
        elif len(split) == len(scale.labels) and split:
            matched[row.item] = split
            used |= set(split.values())
        else:
            findings.append(_absent(row.item, row.column, export, place))
    known = {plain(c) for c in items["column"]}
    for column in (c for c in header if c not in used):
        if column.endswith("_TEXT"):
            sentence = said(
                "column '{column}' holds free text that no item asks for; it is not read.",
                column=column,
            ).together(
                "{k} columns hold free text that no item asks for; they are not read: {each}.",
                each=said("{column}", column=column),
            )
            findings.append(Finding("note", place, sentence))
            continue
        if plain(column) == "" and (export.answers[column].astype("str").str.strip() == "").all():
            continue
        findings.append(_unknown(column, known, place))
    return matched, findings


def _absent(item: str, column: str, export: Export, place: str) -> Finding:
    """Return the finding for an item without a column."""
    named = said(" (column '{column}')", column=column) if column != item else ""
    header = list(export.answers.columns)
    if column in export.dropped:
        sentence = said(
            "item '{item}'{named} asks for a column that is not read ({why}); "
            "items may not. Remove the item from items.csv, or name the column that is meant.",
            item=item, named=named, why=_why_dropped(export.dropped[column]),
        )  # fmt: skip
        return Finding("error", place, sentence)
    sentence = said(
        "item '{item}'{named} stands in items.csv but not in the file, which has "
        "{header}.{hint} Correct the codebook's column, or export the question.",
        item=item, named=named, header=listed(header), hint=meant(column, header),
    ).together(
        "{k} items stand in items.csv but not in the file, which has {header}. Correct the "
        "codebook's columns, or export the questions. Items: {each}.",
        each=said("{item}{named}", item=item, named=named),
    )  # fmt: skip
    return Finding("error", place, sentence)


def _why_dropped(reason: str) -> Said:
    """Return why a column is not read, for messages."""
    if reason == IDENTIFIER:
        return said("direct identifier")
    return said("platform column")


def _unknown(column: str, known: set[str], place: str) -> Finding:
    """Return the finding for a column without an item."""
    sentence = said(
        "column '{column}' stands in the file but not in items.csv; every answer column needs a "
        "row there.{hint} Add the item, with its scale, to items.csv.",
        column=column, hint=meant(column, known),
    ).together(
        "{k} columns stand in the file but not in items.csv; every answer column needs a row "
        "there. Add the items, with their scales, to items.csv. Columns: {each}.",
        each=said("{column}", column=column),
    )  # fmt: skip
    return Finding("error", place, sentence)


def label_contradictions(
    export: Export,
    items: pd.DataFrame,
    scales: Mapping[str, Scale],
    columns: Mapping[str, str | dict[int, str]],
    place: str,
) -> list[Finding]:
    """Compare the value labels that a file carries with those of the codebook.

    A label that stands under another code there is an error: one of the two is wrong, and every
    answer would be read wrong with it.
    """
    findings = []
    for row in items.itertuples():
        column = columns.get(row.item)
        named = export.value_labels.get(column, {}) if isinstance(column, str) else {}
        codes = label_codes(scales[row.scale])
        apart = [
            said(
                "'{label}' is {there} in the file and {here} in study.yml",
                label=label, there=code, here=codes[plain(label)],
            )
            for code, label in named.items()
            if codes.get(plain(label), code) != code
        ]  # fmt: skip
        if apart:
            sentence = said(
                "labels contradict codes: {apart}. Correct the scale '{scale}' in study.yml, or "
                "the labels in the file.",
                apart=listed(apart, most=3), scale=row.scale,
            ).together(
                "labels of {k} items contradict codes. Correct the scale '{scale}' in study.yml, "
                "or the labels in the file. {each}.",
                each=said("{item}: {apart}", item=row.item, apart=listed(apart, most=3)),
            )  # fmt: skip
            findings.append(Finding("error", in_file(place, row.item), sentence))
    return findings
