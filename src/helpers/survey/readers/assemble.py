"""What all readers share once the header is known: metadata, identifiers out, odd rows named."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice

import pandas as pd

from helpers.survey import identifiers
from helpers.survey.findings import Finding, listed, said
from helpers.survey.readers import metadata
from helpers.survey.readers.export import Export
from helpers.survey.readers.layout import Layout

IDENTIFIER = "direct identifier"
PLATFORM = "platform column"
_ROUNDED = re.compile(r"^\d(?:[.,]\d+)?[eE]\+\d+$")
_COMPARED = 3


@dataclass(frozen=True, slots=True)
class Taken:
    """A table under its header, as a platform's reader has understood it.

    Attributes
    ----------
    names : list of str
        Column names, each once.
    headers : list of list of str
        The header rows as they stand in the file.
    body : DataFrame
        The rows below, columns ``names``.
    canonical : dict
        Metadata name -> column.
    """

    names: list[str]
    headers: list[list[str]]
    body: pd.DataFrame
    canonical: dict[str, str] = field(default_factory=dict)
    questions: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def under_header(
    rows: pd.DataFrame, n_headers: int, names: list[str], place: str
) -> tuple[pd.DataFrame, list[list[str]], list[Finding]]:
    """Return the rows below the header, the header rows, and a finding on headers that repeat.

    A header that stands again further down means that two exports were joined; such rows are no
    respondents and are left out, and the finding is an error.
    """
    headers = [header_row(rows, i) for i in range(n_headers)]
    body = rows.iloc[n_headers:]
    again = pd.Series(False, index=body.index)
    for header in headers:
        read = (i for i, cell in enumerate(header) if cell.strip() and _was_read(body, i))
        at = list(islice(read, _COMPARED))
        if at:
            same = pd.concat([body[rows.columns[i]] == header[i] for i in at], axis=1)
            again |= same.all(axis=1)
    findings = []
    if again.any():
        first = int(again.to_numpy().argmax()) + n_headers + 1
        sentence = said(
            "{n} rows repeat the header (first: record {first}); the header "
            "stands twice, or two exports are joined. Keep one "
            "header, and each respondent once.",
            n=int(again.sum()), first=first,
        )  # fmt: skip
        findings.append(Finding("error", place, sentence))
        body = body[~again]
    body = body.reset_index(drop=True)
    body.columns = names
    return body, headers, findings


def _was_read(body: pd.DataFrame, i: int) -> bool:
    """Tell whether a column has cells below the header; those of identifiers are not read."""
    return bool((body.iloc[:, i] != "").any())


def header_row(rows: pd.DataFrame, i: int) -> list[str]:
    """Return one of the first rows as a list of texts."""
    return [str(cell) for cell in rows.iloc[i]]


def assemble(
    taken: Taken,
    layout: Layout,
    place: str,
    *,
    platform: Callable[[str], bool] = lambda _column: False,
    tokens: Mapping[str, str] | None = None,
    separator: str = ",",
    finished: pd.Series | bool | None = None,
    preview: pd.Series | None = None,
    timer: Callable[[str], bool] = lambda _column: False,
) -> Export:
    """Fill the metadata, drop identifiers and platform columns, and hand on the answers.

    Parameters
    ----------
    taken : Taken
        The table under its header.
    layout : Layout
        Order of dates, decimal sign, and the columns that the study file names itself.
    platform : function
        Tells whether a column is the platform's own.
    tokens, separator : mapping, str
        As in ``Export``.
    finished, preview : Series or bool, optional
        Where the platform says so other than in a column of its own.
    timer : function
        Tells whether a column holds the seconds on one page.
    """
    names, body = taken.names, taken.body
    metadata.refuse_headerless(names, place)
    canonical = taken.canonical | metadata.declared(layout.columns, names, place)
    cells = {name: body[column] for name, column in canonical.items()}
    if preview is not None and "preview" not in cells:
        cells["preview"] = preview
    empty = metadata.empty_metadata(len(body), numbered="respondent_id" not in cells)
    meta, findings = metadata.fill(empty, cells, place, dates=layout.dates)
    if finished is not None and "finished" not in cells:
        meta["finished"] = pd.Series(finished, index=meta.index).astype("boolean")
    findings = [*taken.findings, *findings, *_span(meta, place), *_rounded_ids(meta, place)]
    used = set(canonical.values())
    dropped, said = _dropped(body, [n for n in names if n not in used], platform, place)
    dropped |= {n: IDENTIFIER for n in used if identifiers.by_name(n)}
    kept = [n for n in names if n not in dropped and n not in used]
    answers, unnamed = _without_empty(body[kept], names, place)
    findings += said + unnamed + _time_pages(meta, body[[n for n in names if timer(n)]], place)
    return Export(
        meta, answers, dropped, tuple(findings), dict(tokens or {}), separator,
        {c: q for c, q in taken.questions.items() if c in answers and q}, decimal=layout.decimal,
    )  # fmt: skip


def _span(meta: pd.DataFrame, place: str) -> list[Finding]:
    """Fill in seconds as end less start where the platform gives none; an end before it is none."""
    if meta["duration_s"].notna().any():
        return []
    seconds = (meta["ended_at"] - meta["started_at"]).dt.total_seconds()
    before = (seconds < 0).to_numpy()
    meta["duration_s"] = seconds.mask(before)
    if not before.any():
        return []
    sentence = said(
        "{n} rows end before they begin (first: respondent row {row}); their seconds count as "
        "unknown. Look at the zones of the times, and at the order of day and month.",
        n=int(before.sum()), row=int(before.argmax()) + 1,
    )  # fmt: skip
    return [Finding("mark", place, sentence)]


def _time_pages(meta: pd.DataFrame, pages: pd.DataFrame, place: str) -> list[Finding]:
    """Keep the seconds on timed pages, summed, and say how many pages were timed."""
    if pages.shape[1] == 0 or meta["page_seconds"].notna().any():
        return []
    seconds = metadata.seconds_on_pages(pages)
    meta["page_seconds"] = seconds
    if seconds.isna().all():
        return []
    sentence = said(
        "{n} pages were timed; their sum is kept (median {median:.0f} "
        "seconds). If all questions stand on timed pages, `seconds_from: pages` under screening "
        "takes it for the mark speeding.",
        n=pages.shape[1], median=float(seconds.median()),
    )  # fmt: skip
    return [Finding("note", place, sentence)]


def _dropped(
    body: pd.DataFrame, columns: list[str], platform: Callable[[str], bool], place: str
) -> tuple[dict[str, str], list[Finding]]:
    """Return which columns are left out and why, and what was found by looking at cells."""
    dropped, findings = {}, []
    for column in columns:
        if identifiers.by_name(column):
            dropped[column] = IDENTIFIER
        elif platform(column):
            dropped[column] = PLATFORM
        elif not identifiers.long_enough(texts := identifiers.distinct(body[column])):
            continue
        elif kind := identifiers.by_content(texts):
            dropped[column] = IDENTIFIER
            sentence = said(
                "column '{column}' was not kept, because its cells are {kind}.",
                column=column, kind=identifiers.named(kind),
            )  # fmt: skip
            findings.append(Finding("note", place, sentence))
        elif n := identifiers.within_text(texts):
            sentence = said(
                "column '{column}': {n} answers hold an e-mail address, or the number of a phone "
                "or an identity card; free text is kept apart and never shown.",
                column=column, n=n,
            )  # fmt: skip
            findings.append(Finding("note", place, sentence))
    return dropped, findings


def _without_empty(
    answers: pd.DataFrame, names: list[str], place: str
) -> tuple[pd.DataFrame, list[Finding]]:
    """Leave out columns without name and cells; a column without a name but with cells is said."""
    findings: list[Finding] = []
    held: dict[int, int] = {}
    for column in [c for c in answers.columns if not c.strip()]:
        if _numbers_rows(answers[column]):
            sentence = said("a column without a name numbers the rows; it was not kept.")
            findings.append(Finding("note", place, sentence))
            answers = answers.drop(columns=column)
            continue
        n = int((answers[column].astype("str").str.strip() != "").sum())
        if n:
            held[names.index(column) + 1] = n
        answers = answers.drop(columns=column)
    return answers, [*findings, *_unnamed(held, place)]


def _unnamed(held: Mapping[int, int], place: str) -> list[Finding]:
    """Return the finding on columns without a name: place in the file -> filled cells."""
    if not held:
        return []
    sentence = said(
        "a column without a name holds {n} cells; every column needs a name. Name it in "
        "the header row.",
        n=next(iter(held.values())),
    )
    if len(held) > 1:
        sentence = said(
            "{k} columns without a name hold cells (columns {places} of the file); every column "
            "needs a name. Name them in the header row.",
            k=len(held), places=listed(held),
        )  # fmt: skip
    return [Finding("error", place, sentence)]


def _numbers_rows(cells: pd.Series) -> bool:
    """Tell whether cells count from 0 or 1 on, as row names written by R or pandas do."""
    texts = cells.astype("str").tolist()
    return texts in ([str(i) for i in range(k, k + len(texts))] for k in (0, 1)) and bool(texts)


def _rounded_ids(meta: pd.DataFrame, place: str) -> list[Finding]:
    """Return the finding on ids that a spreadsheet has rounded."""
    ids = meta["respondent_id"].dropna().tolist()
    hit = [text for text in ids if "+" in text and _ROUNDED.match(text)]
    if not hit:
        return []
    sentence = said(
        "{n} respondent ids stand in rounded form (first: {first}); a spreadsheet "
        "program has changed them, and they cannot be told apart. Export again and do not save "
        "the file from a spreadsheet.",
        n=len(hit), first=hit[0],
    )  # fmt: skip
    return [Finding("error", place, sentence)]


def blanks_apart(names: list[str]) -> list[str]:
    """Return names in which no two blank ones are the same: they differ in length."""
    n, out = 0, []
    for name in names:
        out.append(name if name.strip() else " " * n)
        n += not name.strip()
    return out


def unique_names(names: list[str], place: str) -> tuple[list[str], list[Finding]]:
    """Return names with `` (2)``, `` (3)`` behind those that stand again, and say so.

    For platforms that repeat a question's text; where names are chosen by the author, doubled
    ones are refused (``metadata.refuse_doubled``).
    """
    seen: dict[str, int] = {}
    out, doubled = [], []
    for name in blanks_apart(names):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1 and name.strip():
            doubled.append(name)
            out.append(f"{name} ({seen[name]})")
        else:
            out.append(name)
    if not doubled:
        return out, []
    sentence = said(
        "{n} columns repeat the name of another ({names}); they are "
        "called 'NAME (2)', 'NAME (3)' in the order of the file.",
        n=len(doubled), names=listed(doubled, most=5),
    )  # fmt: skip
    return out, [Finding("note", place, sentence)]
