"""Partial measurement invariance: which equalities fail, released one at a time and logged.

The search starts from a step of the ladder that fails. Of the parameters that the step is the
first to hold equal it releases the one whose equality costs most by the score test, fits again,
and goes on until the step holds against the step below. Never more is released than the declared
share of a factor's items, and never so much that fewer than two items anchor a factor
(Byrne, Shavelson & Muthen 1989, doi:10.1037/0033-2909.105.3.456; Steenkamp & Baumgartner 1998,
doi:10.1086/209528). A search capitalises on chance: what it releases is a finding to be
replicated, not a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import EstimationError, Unavailable, listing
from helpers.memo import remembered
from helpers.sem.fit import model_text
from helpers.sem.groups import fit_step, group_sizes, measure_of, step_difference
from helpers.sem.ladder_steps import RELEASABLE, SCALAR, check_steps, ladder_of
from helpers.sem.release import Candidate, candidates, release_scores
from helpers.sem.result import SemResult
from helpers.thresholds import LEVEL, THRESHOLDS

HOLDS = "holds"
EXHAUSTED = "share"
NOTHING_CLEAR = "no clear candidate"
FAILED = "fit failed"
THRESHOLDS_KEPT = 2
"""Equal thresholds an ordered item needs, else its mean and scale are not identified."""


@dataclass(frozen=True, slots=True)
class PartialInvariance:
    """A search for partial invariance at one step.

    Attributes
    ----------
    step : str
    before : SemResult
        The step below, against which differences are taken.
    full : SemResult
        The step with nothing released in it.
    final : SemResult
        The step with everything in ``released`` free over groups.
    log : DataFrame
        One row a fit, the first with nothing released: release, factor, item, score, score_df,
        score_p, chisq, df, cfi, rmsea, srmr, gain_chisq, gain_df, gain_p, gain_cfi (against the
        row above), delta_chisq, delta_df, delta_p, delta_cfi, delta_rmsea, delta_srmr, holds
        (against ``before``).
    released : tuple of str
        Parameters free over groups in ``final``, those carried over from steps below included.
    share : DataFrame
        factor, items, released, share: items with a released parameter.
    stopped : str
        ``holds``: the step holds. ``share``: no more may be released. ``no clear candidate``: no
        remaining equality has a score test significant after Bonferroni's correction.
        ``fit failed``: the next fit failed.
    holds : bool or None
        Verdict of the last row; None where a fit is not admissible.
    """

    step: str
    before: SemResult
    full: SemResult
    final: SemResult
    log: pd.DataFrame
    released: tuple[str, ...]
    share: pd.DataFrame
    stopped: str
    holds: bool | None
    max_share: float
    """Largest share of a factor's items that the search could release."""


@remembered
def partial_invariance(
    model: Any,
    data: pd.DataFrame,
    group: str,
    *,
    step: str,
    released: Sequence[str] = (),
    max_share: float | None = None,
    before: SemResult | None = None,
    ordered: bool = False,
    estimator: str = "ML",
    missing: str = "listwise",
    **options: Any,
) -> PartialInvariance | Unavailable:
    """Search the equalities of a step that do not hold.

    Parameters
    ----------
    model : str or model object
        A measurement model in lavaan syntax. Latent variances are fixed at 1 in the first group,
        so that every loading, the first too, can be released.
    data : DataFrame
        Items and the grouping column.
    group : str
    step : str
        The step that fails; the step below it is what it is compared with.
    released : sequence of str
        Released at steps below. An item whose loading is free has its intercept released from the
        start, as means of such an item cannot be compared.
    max_share : float, optional
        Largest share of a factor's items with a released parameter; by default
        ``THRESHOLDS["partial_share"]``. At least ``THRESHOLDS["anchors"]`` items stay equal.
    before : SemResult, optional
        The step below with ``released`` free, if it is fitted already.
    ordered : bool
        As in ``invariance``.
    estimator, missing : str

    Returns
    -------
    PartialInvariance or Unavailable
        ``Unavailable`` if the step, or the step below, cannot be fitted.

    Raises
    ------
    EstimationError
        The step is unknown or holds nothing equal, or ``max_share`` is not between 0 and 1.

    Notes
    -----
    The score test is ``N g' K (K' I K)^-1 K' g`` with the gradient g and expected information I
    at the restricted estimates and K the free directions once the parameter is released; it is
    not scaled (it ranks), while the chi-square differences of the log are. Checked against
    ``lavTestScore`` and refits of lavaan: ``tests/reference/invariance.R``.
    """
    max_share = _checked(step, max_share, ordered)
    sizes = group_sizes(data, group)
    if ordered:
        estimator, missing = "WLSMV", "listwise"
    call = {"ordered": ordered, "n_groups": len(sizes), "estimator": estimator, "missing": missing,
            "std_lv": True, **options}  # fmt: skip
    text = model_text(model)
    steps = list(ladder_of(ordered))
    below = steps[steps.index(step) - 1]
    if before is None:
        before = fit_step(below, text, data, group, released=released, **call)
    carried = (*released, *_follows(step, released))
    full = fit_step(step, text, data, group, released=carried, **call)
    for result in (before, full):
        if isinstance(result, Unavailable):
            return result
    search = _Search(step, text, data, group, call, before, max_share)
    return search.run(full, carried)


@dataclass(frozen=True, slots=True)
class PartialLadder:
    """Searches up the ladder, each step carrying on what the one below released.

    Attributes
    ----------
    searches : dict
        Step -> ``PartialInvariance``, or ``Unavailable``; ends with the first that does not hold.
    reached : str or None
        The highest step that holds, in full or in part; None if no verdict.
    released : tuple of str
        Everything released on the way to ``reached``.
    group : str
    group_sizes : dict
    """

    searches: dict[str, PartialInvariance | Unavailable]
    reached: str | None
    released: tuple[str, ...]
    group: str
    group_sizes: dict[str, int]

    @property
    def final(self) -> SemResult | None:
        """The fit of the highest step that holds."""
        if self.reached is None:
            return None
        search = self.searches.get(self.reached)
        if isinstance(search, PartialInvariance):
            return search.final
        first = next(iter(self.searches.values()))
        return first.before if isinstance(first, PartialInvariance) else None

    @property
    def log(self) -> pd.DataFrame:
        """The logs of all searches, one below the other, with a column ``step``."""
        logs = [
            search.log.assign(step=step)
            for step, search in self.searches.items()
            if isinstance(search, PartialInvariance)
        ]
        return pd.concat(logs, ignore_index=True) if logs else pd.DataFrame()


@remembered
def partial_ladder(
    model: Any,
    data: pd.DataFrame,
    group: str,
    *,
    upto: str | None = None,
    ordered: bool = False,
    **options: Any,
) -> PartialLadder:
    """Go up the ladder, searching partial invariance where a step fails.

    Parameters
    ----------
    model, data, group, ordered
        As in ``partial_invariance``.
    upto : str, optional
        The last step; by default the one that latent means need.
    **options
        Passed on to ``partial_invariance``.

    Returns
    -------
    PartialLadder
        Ends with the first step that does not hold even in part.
    """
    steps = [s for s in ladder_of(ordered) if s in RELEASABLE]
    upto = next(s for s in steps if s in SCALAR) if upto is None else upto
    check_steps([upto], ordered=ordered)
    searches: dict[str, PartialInvariance | Unavailable] = {}
    released: tuple[str, ...] = ()
    reached: str | None = None
    before: SemResult | None = None
    for step in steps[: steps.index(upto) + 1]:
        search = partial_invariance(
            model, data, group, step=step, released=released, before=before, ordered=ordered,
            **options,
        )  # fmt: skip
        searches[step] = search
        if isinstance(search, Unavailable) or search.holds is None:
            break
        reached = "configural" if reached is None else reached
        if not search.holds:
            break
        reached, released, before = step, search.released, search.final
    return PartialLadder(searches, reached, released, group, group_sizes(data, group))


@dataclass(slots=True)
class _Search:
    """What stays the same during a search."""

    step: str
    text: str
    data: pd.DataFrame
    group: str
    call: dict[str, Any]
    before: SemResult
    max_share: float

    def run(self, full: SemResult, released: tuple[str, ...]) -> PartialInvariance:
        """Release until the step holds or nothing more may be released."""
        every = candidates(full, RELEASABLE[self.step])
        current, rows = full, [self._row(full, None, None)]
        while True:
            stopped, best = self._next(current, every, released, rows[-1]["holds"])
            if best is None:
                break
            trial = fit_step(self.step, self.text, self.data, self.group,
                             released=(*released, best["release"]), **self.call)  # fmt: skip
            if isinstance(trial, Unavailable) or not trial.converged:
                stopped = FAILED
                break
            rows.append(self._row(trial, current, best))
            current, released = trial, (*released, best["release"])
        share = released_share(every, released)
        return PartialInvariance(
            self.step, self.before, full, current, pd.DataFrame(rows), released, share, stopped,
            rows[-1]["holds"], self.max_share,
        )  # fmt: skip

    def _next(
        self,
        current: SemResult,
        every: Sequence[Candidate],
        released: tuple[str, ...],
        holds: bool | None,
    ) -> tuple[str, dict[str, Any] | None]:
        """Return why to stop, or the parameter to release next."""
        if holds:
            return HOLDS, None
        if not current.converged or isinstance(current.vcov, Unavailable):
            return FAILED, None
        allowed = [c for c in every if self._allowed(c, every, released)]
        if not allowed:
            return EXHAUSTED, None
        written = {"ordered": self.call["ordered"], "n_groups": self.call["n_groups"]}
        scores = release_scores(
            current, allowed, step=self.step, text=self.text, released=released, **written
        )
        best = scores.iloc[0].to_dict() if len(scores) else None
        if best is None or best["score_p"] > (1 - LEVEL) / len(allowed):
            return NOTHING_CLEAR, None
        return "", best

    def _allowed(
        self, one: Candidate, every: Sequence[Candidate], released: tuple[str, ...]
    ) -> bool:
        """Tell whether a parameter may be released: not yet, and within the share."""
        if one.name in released:
            return False
        own = {c.item for c in every if c.factor == one.factor}
        freed = {c.item for c in every if c.factor == one.factor and _touched(c.item, released)}
        freed.add(one.item)
        if len(freed) > self.max_share * len(own):
            return False
        if len(own) - len(freed) < THRESHOLDS["anchors"].value:
            return False
        if one.op != "|":
            return True
        equal = [c for c in every if c.item == one.item and c.name not in released]
        return len(equal) > THRESHOLDS_KEPT

    def _row(
        self, result: SemResult, last: SemResult | None, best: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Return a row of the log."""
        blank = {"release": "", "factor": "", "item": "", "score": np.nan, "score_df": np.nan,
                 "score_p": np.nan}  # fmt: skip
        row = {**blank, **({} if best is None else {k: best[k] for k in blank})}
        row |= {name: measure_of(result, name) for name in ("chisq", "df", "cfi", "rmsea", "srmr")}
        gain = {} if last is None else step_difference(last, result)
        for name in ("chisq", "df", "p"):
            row[f"gain_{name}"] = gain.get(f"delta_{name}", np.nan)
        row["gain_cfi"] = -gain["delta_cfi"] if gain else np.nan
        return row | step_difference(result, self.before)


def _checked(step: str, max_share: float | None, ordered: bool) -> float:
    """Check the step and the share; return the share."""
    check_steps([step], ordered=ordered)
    if step not in RELEASABLE:
        raise EstimationError(
            f"partial_invariance: step= is '{step}', which holds nothing equal; allowed are "
            f"{listing(s for s in ladder_of(ordered) if s in RELEASABLE)}. Choose one of them."
        )
    share = THRESHOLDS["partial_share"].value if max_share is None else max_share
    if not 0 <= share <= 1:
        raise EstimationError(
            f"partial_invariance: max_share= is {share:g}; a share of a factor's items between 0 "
            "and 1 is needed. Use for example max_share=0.5."
        )
    return share


def _touched(item: str, released: Sequence[str]) -> bool:
    """Tell whether a parameter of an item is released."""
    return any(
        name in (f"{item}~1", f"{item}~~{item}")
        or name.endswith(f"=~{item}")
        or name.startswith(f"{item}|")
        for name in released
    )


def _follows(step: str, released: Sequence[str]) -> tuple[str, ...]:
    """Return the intercepts released because the loading, or a threshold, of the item is."""
    if RELEASABLE[step] != "~1":
        return ()
    items = [n.split("=~")[1] for n in released if "=~" in n]
    items += [n.split("|")[0] for n in released if "|" in n]
    wanted = [f"{item}~1" for item in dict.fromkeys(items)]
    return tuple(name for name in wanted if name not in released)


def released_share(every: Sequence[Candidate], released: Sequence[str]) -> pd.DataFrame:
    """Count, factor by factor, the items with a released parameter."""
    rows = []
    for factor in dict.fromkeys(c.factor for c in every):
        items = dict.fromkeys(c.item for c in every if c.factor == factor)
        freed = sum(_touched(item, released) for item in items)
        rows.append({"factor": factor, "items": len(items), "released": freed,
                     "share": freed / len(items)})  # fmt: skip
    return pd.DataFrame(rows)
