"""Effects of one variable on another with bootstrap intervals, raw and standardised.

The ways through the model are found from its arrows and written into it as ``:=`` rows, so that
the bootstrap treats them like every other quantity of the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from helpers.errors import SuiteError, Unavailable, passes_unavailable
from helpers.i18n import _
from helpers.sem.bootstrap import bootstrap
from helpers.sem.bootstrap_result import BootstrapResult
from helpers.sem.effects import Effects, ends_of, model_edges, model_ways
from helpers.sem.fit import fit
from helpers.sem.result import SemResult
from helpers.sem.study_fit import ModelFit


@dataclass(frozen=True, slots=True)
class BootstrappedEffects:
    """Effects with bootstrap intervals.

    Attributes
    ----------
    effects : Effects
        ``table`` has the columns of ``Effects`` and p_value, std_low, std_high.
    boot : BootstrapResult
        The draws behind it, with the counts of failed and inadmissible replicates.
    """

    effects: Effects
    boot: BootstrapResult


def effect_rows(result: SemResult, source: str, outcome: str) -> tuple[str, list[tuple]]:
    """Return model text to append, and (kind, way, name) of every effect it defines."""
    edges = model_edges(result)
    ways = sorted(model_ways(edges, source, outcome), key=len)
    labels = {
        pair: result.table.rows[k].label or f"path_{number}_"
        for number, (pair, k) in enumerate(edges.items(), start=1)
    }
    lines = [
        f"{end} ~ {labels[start, end]}*{start}"
        for (start, end), k in edges.items()
        if not result.table.rows[k].label
    ]
    named: list[tuple] = []
    for number, way in enumerate(ways, start=1):
        kind = "direct" if len(way) == 2 else "indirect"
        named.append((kind, way, f"effect_{number}_"))
        product = "*".join(labels[pair] for pair in zip(way[:-1], way[1:]))
        lines.append(f"effect_{number}_ := {product}")
    sums = [("total", [n for _k, _w, n in named])]
    indirect = [n for k, _w, n in named if k == "indirect"]
    if indirect:
        sums.insert(0, ("total_indirect", indirect))
    for kind, parts in sums:
        named.append((kind, (source, outcome), f"{kind}_"))
        lines.append(f"{kind}_ := {' + '.join(parts)}")
    if indirect and len(indirect) < len(ways):
        named.append(("proportion", (source, outcome), "proportion_"))
        lines.append("proportion_ := total_indirect_ / total_")
    return "\n".join(lines), named


@passes_unavailable
def bootstrap_effects(
    fitted: ModelFit,
    *,
    source: str = "",
    outcome: str = "",
    n_boot: int,
    seed: int,
    ci: str = "bca",
    workers: int = 1,
    scheduler: str = "",
) -> BootstrappedEffects | Unavailable:
    """Bootstrap the effects of one variable on another in a study's model.

    Parameters
    ----------
    fitted : ModelFit
        Fitted to rows; a published matrix has none to draw from.
    source, outcome : str
        As in ``study_effects``.
    n_boot, seed, ci, workers, scheduler
        As in ``bootstrap``; 0 replicates ask for none, no scheduler means this machine.

    Returns
    -------
    BootstrappedEffects or Unavailable
        ``Unavailable`` where there are no rows, no way through the model, or no replicates.
    """
    what = _("bootstrap intervals of the effects")
    if n_boot == 0:
        return Unavailable(what, _("none were asked for (n_boot is 0)"))
    if "data" not in fitted.data:
        return Unavailable(what, _("a published matrix has no respondents to draw from"))
    ends = ends_of(fitted, source, outcome)
    if isinstance(ends, Unavailable):
        return ends
    text, named = effect_rows(fitted.result, *ends)
    result = fitted.result
    try:
        widened = fit(
            f"{fitted.syntax}\n{text}",
            fitted.data["data"],
            estimator=result.estimator,
            missing=result.missing,
        )
        boot = bootstrap(
            widened, n_boot=n_boot, seed=seed, ci=ci, workers=workers, scheduler=scheduler or None
        )
    except SuiteError as error:
        if scheduler:  # what was asked of a cluster must not quietly be left out
            raise
        return Unavailable(what, str(error))
    table = _table(boot, named)
    return BootstrappedEffects(Effects(*ends, table, n_boot, boot.seed, boot.level), boot)


def _table(boot: BootstrapResult, named: Sequence[tuple]) -> pd.DataFrame:
    """Return the effects in the columns of ``Effects``, with their standardised intervals."""
    raw = boot.estimates.set_index("lhs")
    scaled = boot.standardized.set_index("lhs")
    rows = [
        {
            "kind": kind,
            "way": way,
            "estimate": raw.loc[name, "est"],
            "ci_low": raw.loc[name, "ci_low"],
            "ci_high": raw.loc[name, "ci_high"],
            "p_value": raw.loc[name, "p_value"],
            "std_all": scaled.loc[name, "est"],
            "std_low": scaled.loc[name, "ci_low"],
            "std_high": scaled.loc[name, "ci_high"],
        }
        for kind, way, name in named
    ]
    return pd.DataFrame(rows)
