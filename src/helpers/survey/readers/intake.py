"""Read one declared file of a study and bring it under its codebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import CodebookError, listing
from helpers.specification import Scale, Source
from helpers.study import StudyFolder
from helpers.survey.branches import asked
from helpers.survey.findings import (
    Finding,
    listed,
    raise_errors,
    said,
)
from helpers.survey.readers import files, metadata
from helpers.survey.readers.answers import (
    NOT_ANSWERED,
    NOT_ASKED,
    Typed,
    type_answers,
)
from helpers.survey.readers.export import Export
from helpers.survey.readers.layout import of_source
from helpers.survey.readers.matching import label_contradictions, match_columns
from helpers.survey.readers.multiple import type_joined, type_split
from helpers.survey.readers.reading import read_file
from helpers.survey.readers.wenjuanxing import plain_header


@dataclass(frozen=True, slots=True)
class Intake:
    """One file of a study, read and typed; nothing cleaned yet.

    Attributes
    ----------
    meta : DataFrame
        Columns ``metadata.META``.
    answers : DataFrame
        One column an item (float codes; text for the kind ``text``), and ``ITEM_CODE`` with 0/1
        for each choice of a question with several answers. Same rows as ``meta``.
    reasons : DataFrame
        Columns ``row, item, reason``: why a cell is blank, where the file says so.
    findings : tuple of Finding
        Everything found on the way, errors included.
    dropped : Mapping[str, str]
        Column of the file -> why it was not read.
    place : str
        How messages name the file.
    """

    meta: pd.DataFrame
    answers: pd.DataFrame
    reasons: pd.DataFrame
    findings: tuple[Finding, ...]
    dropped: Mapping[str, str]
    place: str

    @property
    def n_rows(self) -> int:
        """Return the number of rows received."""
        return len(self.meta)


def read_source(
    folder: StudyFolder, source: Source, *, module: str = "main", strict: bool = True
) -> Intake:
    """Read a file of a study: find, check the sum, decode, split, take apart, type.

    Parameters
    ----------
    folder : StudyFolder
        The study with its codebook.
    source : Source
        Which file, and what reads it.
    module : str
        Whose items of the codebook the file holds: ``"main"`` or a module's name.
    strict : bool
        Raise if a finding is an error; with False they are only listed (for ``study check``).

    Returns
    -------
    Intake

    Raises
    ------
    DataContractError
        The file is absent, empty, changed, or disagrees with the codebook; all disagreements in
        one message.
    """
    place = files.place_of(source, folder.folder)
    path = files.locate(source, folder.folder)
    files.check_sum(source, path, place)
    export = read_file(path, of_source(source), place)
    items = folder.items[folder.items["module"] == module]
    _refuse_identifiers(items)
    if source.reader == "wenjuanxing":
        items = items.assign(column=items["column"].map(plain_header))
    columns, findings = match_columns(export, items, folder.spec.scales, place)
    findings = list(export.findings) + findings + rows_found(export.meta, module, place)
    findings += label_contradictions(export, items, folder.spec.scales, columns, place)
    answers, reasons, typed = _typed(export, items, folder.spec.scales, columns, place)
    findings += typed
    reasons, skipped = by_branch(folder, answers, reasons, place)
    findings += skipped
    if strict:
        raise_errors(findings, where=place)
    return Intake(export.meta, answers, reasons, tuple(findings), export.dropped, place)


def by_branch(
    folder: StudyFolder, answers: pd.DataFrame, reasons: pd.DataFrame, place: str
) -> tuple[pd.DataFrame, list[Finding]]:
    """Give blanks behind a branch that was not taken the reason ``not asked``.

    Answers that stand there all the same are counted in a finding, and kept.
    """
    shown_if = folder.items.set_index("item")["shown_if"]
    behind = set(shown_if.index[shown_if.astype(bool)])
    branched = [i for i in pd.unique(reasons["item"]) if i in behind] if behind else []
    findings: list[Finding] = []
    if not branched:
        return reasons, findings
    shown = asked(folder, answers, branched)
    why = reasons["reason"].to_numpy(dtype=object, copy=True)
    at, names = reasons["row"].to_numpy(), reasons["item"].to_numpy()
    for item in branched:
        here = np.flatnonzero(names == item)
        hidden = here[~shown[item].to_numpy()[at[here]]]
        why[hidden[why[hidden] == NOT_ANSWERED]] = NOT_ASKED
        columns = [c for c in answers if c == item or c.startswith(f"{item}_")]
        given = answers[columns].notna().any(axis=1) & ~shown[item]
        if given.any():
            n, rule = int(given.sum()), str(shown_if[item])
            sentence = said(
                "{n} respondents answered item '{item}', though by shown_if "
                "({rule}) it was not asked of them; the answers are kept.",
                n=n, item=item, rule=rule,
            ).together(
                "{k} items hold {n} answers of respondents of whom they were not asked by "
                "shown_if ({rule}); the answers are kept. {each}.",
                each=said("{item}: {n}", item=item, n=n),
            )  # fmt: skip
            findings.append(Finding("note", place, sentence))
    return reasons.assign(reason=why), findings


def rows_found(meta: pd.DataFrame, module: str, place: str) -> list[Finding]:
    """Return findings about the rows as such: none at all, ids empty or given twice."""
    if meta.empty:
        sentence = said(
            "the file has a header but no respondent; at least one is needed. Export again."
        )
        return [Finding("error", place, sentence)]
    if module != "main":
        return []
    ids = meta["respondent_id"]
    findings = []
    doubled = list(dict.fromkeys(ids[ids.duplicated() & ids.notna()]))
    if doubled:
        sentence = said(
            "{n} respondent ids stand more than once: {ids}; one "
            "row a respondent is needed. Two exports may have been joined: remove the repeated "
            "rows at the source.",
            n=len(doubled), ids=listed(doubled, most=5),
        )  # fmt: skip
        findings.append(Finding("error", place, sentence))
    if ids.isna().any():
        row = int(ids.isna().idxmax()) + 1
        sentence = said(
            "{n} rows have no respondent id (first: respondent row {row}); "
            "every row needs one. Complete the export.",
            n=int(ids.isna().sum()), row=row,
        )  # fmt: skip
        findings.append(Finding("error", place, sentence))
    return findings


def _refuse_identifiers(items: pd.DataFrame) -> None:
    """Raise if the codebook asks for a direct identifier."""
    named = [c for c in items["column"] if metadata.is_identifier(c)]
    if named:
        raise CodebookError(
            f"items.csv: columns {listing(named)} identify persons; they are dropped at reading "
            "and cannot be items. Remove the rows, or rename the column if it is no identifier."
        )


def _typed(
    export: Export,
    items: pd.DataFrame,
    scales: Mapping[str, Scale],
    columns: Mapping[str, str | dict[int, str]],
    place: str,
) -> tuple[pd.DataFrame, pd.DataFrame, list[Finding]]:
    """Type every matched item; return answers, reasons of blanks, findings."""
    table = _Columns(_most_columns(items, scales, columns), export.meta.index)
    reasons, findings = [], []
    for row in items.itertuples():
        if row.item not in columns:
            continue
        typed = _type_one(export, row, scales[row.scale], columns[row.item], place)
        findings += typed.findings
        if isinstance(typed.values, pd.DataFrame):
            for code in typed.values:
                table.add(f"{row.item}_{code}", typed.values[code])
        else:
            table.add(row.item, typed.values)
        rows, why = _explained(typed.reasons)
        reasons.append((rows, row.item, why))
    blanks = pd.DataFrame(
        {
            "row": np.concatenate([[], *(rows for rows, _item, _why in reasons)]).astype(int),
            "item": np.repeat(
                np.array([item for _r, item, _w in reasons], dtype=object),
                [len(r) for r, _i, _w in reasons],
            ),
            "reason": np.concatenate([np.empty(0, object), *(why for _r, _i, why in reasons)]),
        }
    )
    return table.frame(), blanks, findings


def _explained(reasons: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows in which a reason stands, and the reasons."""
    if isinstance(reasons.dtype, pd.CategoricalDtype):
        codes = reasons.array.codes
        rows = np.flatnonzero(codes >= 0)
        return rows, reasons.array.categories.to_numpy(object).take(codes[rows])
    rows = np.flatnonzero(reasons.notna())
    return rows, reasons.iloc[rows].to_numpy(object)


def _most_columns(
    items: pd.DataFrame, scales: Mapping[str, Scale], columns: Mapping[str, str | dict[int, str]]
) -> int:
    """Return how many columns the items can fill; a question with several answers fills several."""
    kinds = [scales[row.scale] for row in items.itertuples() if row.item in columns]
    return sum(max(1, len(s.labels)) if s.kind == "multiple" else 1 for s in kinds)


class _Columns:
    """A table filled column by column: numbers go straight into one block of memory.

    Collecting columns first and joining them afterwards would hold every number twice.
    """

    def __init__(self, most: int, index: pd.Index) -> None:
        self.index, self.order = index, []
        self.block = np.empty((most, len(index)))
        self.numbers: list[str] = []
        self.texts: dict[str, pd.Series] = {}

    def add(self, name: str, values: pd.Series) -> None:
        """Add a column; text is kept as it is."""
        self.order.append(name)
        if values.dtype == np.float64:
            self.block[len(self.numbers)] = values
            self.numbers.append(name)
        else:
            self.texts[name] = values

    def frame(self) -> pd.DataFrame:
        """Return the table, columns in the order in which they were added."""
        filled = self.block[: len(self.numbers)].T
        table = pd.DataFrame(filled, index=self.index, columns=self.numbers, copy=False)
        for name, values in self.texts.items():
            table.insert(self.order.index(name), name, values)
        return table


def _type_one(
    export: Export, row: object, scale: Scale, column: str | dict[int, str], place: str
) -> Typed:
    """Type one item, by the form in which the export holds it."""
    if isinstance(column, dict):
        cells = export.answers[list(column.values())]
        return type_split(cells.set_axis(list(column), axis=1), export.tokens)
    if scale.kind == "multiple":
        return type_joined(
            export.answers[column], item=row.item, scale=scale, tokens=export.tokens,
            separator=export.separator, place=place,
        )  # fmt: skip
    return type_answers(
        export.answers[column], item=row.item, scale=scale,
        missing_codes={**export.missing_codes.get(column, {}), **row.missing_codes},
        tokens=export.tokens, place=place, decimal=export.decimal,
    )  # fmt: skip
