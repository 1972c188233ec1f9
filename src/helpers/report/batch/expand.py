"""From the configuration to single reports: every combination, each with a name of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from helpers.errors import CodebookError, listing
from helpers.report.batch.names import safe_name
from helpers.report.batch.settings import ALL, CROSSED, Batch, Period
from helpers.report.request import Request, two_digits
from helpers.survey.selection import codes_of


@dataclass(frozen=True, slots=True)
class Report:
    """One report of a batch.

    Attributes
    ----------
    name : str
        Its folder's name, unique in the batch.
    axes : mapping
        What tells it from the others: name of a parameter, grouping, ``period`` or ``language``.
    request : Request
        What is run.
    key_numbers : tuple of str
        Names of the numbers that the batch's pages show.
    """

    name: str
    axes: Mapping[str, Any]
    request: Request
    key_numbers: tuple[str, ...] = ()


def expand(batch: Batch, *, plain_kernels: bool = False, fresh: bool = False) -> list[Report]:
    """Return the reports of a batch in the order of the file.

    Raises
    ------
    CodebookError
        Two reports would have one name, a row of ``exclude`` takes nothing out, or nothing is left.
    """
    found: dict[str, Report] = {}
    for axes, where in _combinations(batch):
        report = _report(batch, axes, where, plain_kernels, fresh)
        if report.name in found:
            raise CodebookError(
                f"study batch: two reports would be named '{report.name}'; each combination may "
                "stand once. Look for a value given twice in matrix, groups, periods or include."
            )
        found[report.name] = report
    if not found:
        raise CodebookError("study batch: exclude leaves no report. Take a row out of it.")
    return list(found.values())


def _combinations(batch: Batch) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Yield what each report varies, with its terms of selection."""
    spec = batch.spec
    base = [spec.where] if spec.where else []
    unused = list(range(len(spec.exclude)))
    values = [[(name, value) for value in options] for name, options in spec.matrix.items()]
    levels = _levels(batch)
    periods = list(spec.periods) or [None]
    for *chosen, level, period, language in product(*values, levels, periods, spec.languages):
        axes = {**dict(chosen), **level}
        terms = [*base, *(f"{name} = {code}" for name, code in level.items())]
        if period is not None:
            axes["period"] = _period_name(period)
            terms += _period_terms(period)
        axes["language"] = language
        out = [i for i, row in enumerate(spec.exclude) if _matches(row, axes)]
        unused = [i for i in unused if i not in out]
        if not out:
            yield axes, terms
    _refuse_unused([spec.exclude[i] for i in unused])
    for row in spec.include:
        extra = [row["where"]] if "where" in row else []
        for language in spec.languages:
            yield {**row, "language": language}, [*base, *extra]


def _refuse_unused(rows: list[dict[str, Any]]) -> None:
    """Raise if a row of ``exclude`` takes nothing out: what it was meant for would be made."""
    if rows:
        told = ", ".join(f"{name}: {value}" for name, value in rows[0].items())
        raise CodebookError(
            f"study batch: exclude= {{{told}}} takes no report out; a row names values that occur, "
            "such as the code of a level. Correct it, or take it out."
        )


def _report(
    batch: Batch, axes: dict[str, Any], where: list[str], plain_kernels: bool, fresh: bool
) -> Report:
    """Return one report."""
    spec = batch.spec
    allowed = spec.matrix.keys() | {n for row in spec.include for n in row if n != "where"}
    chosen = {name: value for name, value in axes.items() if name in allowed}
    language = axes["language"]
    shown = {n: v for n, v in axes.items() if n != "language" or len(spec.languages) > 1}
    name = safe_name("_".join(f"{n}={v}" for n, v in shown.items()) or language)
    request = Request(
        study=spec.study,
        selection=" and ".join(where),
        language=language,
        formats=tuple(spec.formats),
        only=tuple(two_digits(n) for n in spec.notebooks),
        parameters={**spec.parameters, **chosen},
        run=name,
        base=batch.folder,
        fresh=fresh,
        plain_kernels=plain_kernels,
    )
    return Report(name, shown, request, tuple(spec.key_numbers))


def _levels(batch: Batch) -> list[dict[str, int]]:
    """Return the levels of all groupings, crossed ones too; no level means everybody."""
    levels: list[dict[str, int]] = []
    for entry in batch.spec.groups:
        if entry == ALL:
            levels.append({})
            continue
        names = [part.strip() for part in entry.split(CROSSED)]
        codes = [list(codes_of(batch.study, name)) for name in names]
        if not all(codes):
            lacking = listing(n for n, c in zip(names, codes) if not c)
            raise CodebookError(
                f"study batch: groups= {lacking}: the scale has no labelled codes, so its levels "
                "are not known. Use where: instead."
            )
        levels += [dict(zip(names, combination)) for combination in product(*codes)]
    return levels or [{}]


def _period_name(period: Period) -> str:
    """Return a period as it stands in names."""
    return f"{period.start or ''}..{period.end or ''}"


def _period_terms(period: Period) -> list[str]:
    """Return a period as terms of a selection."""
    ends = ((">=", period.start), ("<=", period.end))
    return [f"started_at {sign} {day}" for sign, day in ends if day is not None]


def _matches(row: Mapping[str, Any], axes: Mapping[str, Any]) -> bool:
    """Tell whether a combination is the one that a row of ``exclude`` names."""
    return bool(row) and all(str(axes.get(name)) == str(value) for name, value in row.items())
