"""The same model in other programs, and how far their numbers are from ours.

semopy is fitted in this process and checks plain maximum likelihood on complete rows. lavaan is
asked through ``Rscript``, in a process and a temporary folder of its own, where it is installed;
nothing in the suite needs it.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.errors import EstimationError, SuiteError, Unavailable
from helpers.i18n import _
from helpers.memo import remembered
from helpers.sem.outside_request import write_request

if TYPE_CHECKING:
    from helpers.sem.result import SemResult

SEMOPY_TOLERANCE = 1e-12
"""semopy's own stop leaves estimates 1e-3 off."""

ASK_SECONDS = 60
FIT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class OutsideFit:
    """A fit by another program.

    Attributes
    ----------
    engine, version : str
        The program.
    estimates : DataFrame
        lhs op rhs group est se; ``group`` is the group's label, ``""`` for a single group.
    chisq, df : float
        Test of the model.
    measures : dict
        All fit measures the program gave, under lavaan's names with ``_`` for ``.``.
    """

    engine: str
    version: str
    estimates: pd.DataFrame
    chisq: float
    df: float
    measures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two engines are apart on one fit.

    Attributes
    ----------
    engine, version : str
        The other program.
    n_compared : int
        Parameters that both programs estimate.
    largest_estimate, largest_se : float
        Largest absolute difference of an estimate and of a standard error.
    largest_in_errors : float
        Largest difference of an estimate in units of its own standard error.
    parameter : str
        Where the largest difference of an estimate is.
    chisq_gap : float
        Absolute difference in chi-square.
    df_ours, df_theirs : float
        Degrees of freedom.
    """

    engine: str
    version: str
    n_compared: int
    largest_estimate: float
    largest_se: float
    largest_in_errors: float
    parameter: str
    chisq_gap: float
    df_ours: float
    df_theirs: float

    def text(self) -> str:
        """Return the agreement line of a notebook, in the current language."""
        return _(
            "This suite against {engine} {version}: over {n} parameters the estimates differ by "
            "at most {gap} ({parameter}), chi-square by {chisq}; degrees of freedom {ours} and "
            "{theirs}."
        ).format(
            engine=self.engine,
            version=self.version,
            n=self.n_compared,
            gap=f"{self.largest_estimate:.1e}",
            parameter=self.parameter,
            chisq=f"{self.chisq_gap:.1e}",
            ours=f"{self.df_ours:g}",
            theirs=f"{self.df_theirs:g}",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the line's numbers, JSON-safe."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {
            k: None if isinstance(v, float) and not math.isfinite(v) else v
            for k, v in found.items()
        }


@cache
def lavaan_version() -> str | Unavailable:
    """Return the version of lavaan that ``Rscript`` finds, or why there is none."""
    what = _("a comparison with lavaan")
    if shutil.which("Rscript") is None:
        return Unavailable(what, _("Rscript is not installed"))
    ask = ["Rscript", "--vanilla", "-e", "cat(as.character(packageVersion('lavaan')))"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, timeout=ASK_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Unavailable(what, _("Rscript did not answer"))
    if done.returncode != 0:
        return Unavailable(what, _("R has no package lavaan"))
    return done.stdout.strip()


def lavaan_available() -> bool:
    """Tell whether ``fit_with_lavaan`` can work on this machine."""
    return isinstance(lavaan_version(), str)


@remembered
def fit_with_lavaan(
    model: str, data: pd.DataFrame | None = None, *, timeout: float = FIT_SECONDS, **options: Any
) -> OutsideFit | Unavailable:
    """Fit a model with ``lavaan::sem`` in an R process.

    Parameters
    ----------
    model : str
        lavaan syntax.
    data : DataFrame, optional
        Rows; only what lavaan needs should be in it. Otherwise ``sample_cov`` and ``n_obs``.
    timeout : float
        Seconds after which the process is ended.
    **options
        Keyword arguments of ``helpers.sem.fit``.

    Returns
    -------
    OutsideFit or Unavailable
        ``Unavailable`` where R or lavaan is not installed.

    Raises
    ------
    EstimationError
        lavaan refuses the model or the data, or takes longer than ``timeout``.
    """
    version = lavaan_version()
    if isinstance(version, Unavailable):
        return version
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_request(folder, model, data, options)
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        try:
            done = subprocess.run(
                ["Rscript", "--vanilla", "fit.R"], cwd=folder, capture_output=True, text=True,
                encoding="utf-8", timeout=timeout, check=False, env=environment,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise EstimationError(
                f"fit_with_lavaan: model= took lavaan longer than {timeout:g} seconds; a smaller "
                f"model or more time is needed. Raise timeout=."
            ) from None
        if done.returncode != 0:
            raise EstimationError(
                f"fit_with_lavaan: model= was refused by lavaan {version}: "
                f"{' '.join(done.stderr.split())[-300:]}; lavaan must accept the model and data. "
                f"Compare the options with lavaan's help page."
            )
        return _read_answer(folder)


def _read_answer(folder: Path) -> OutsideFit:
    """Read what the R script wrote."""
    version, *labels = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
    table = pd.read_csv(folder / "estimates.csv", keep_default_na=False, na_values=["NA"])
    table["rhs"] = table["rhs"].fillna("")
    table["group"] = [labels[g - 1] if labels and g > 0 else "" for g in table["group"].astype(int)]
    measures = pd.read_csv(folder / "measures.csv").set_index("name")["value"].dropna()
    values = {str(k).replace(".", "_"): float(v) for k, v in measures.items()}
    chisq, df = values.get("chisq", math.nan), values.get("df", math.nan)
    return OutsideFit("lavaan", version, table, chisq, df, values)


@remembered
def fit_with_semopy(model: str, data: pd.DataFrame) -> OutsideFit | Unavailable:
    """Fit a model by plain maximum likelihood with semopy.

    Parameters
    ----------
    model : str
        semopy's language, as ``SemResult.to_semopy()`` writes it.
    data : DataFrame
        Complete rows of the model's variables: with blanks semopy would use pairwise covariances.

    Returns
    -------
    OutsideFit or Unavailable
        ``Unavailable`` with semopy's reason where it cannot fit the model.
    """
    import semopy

    rows = data.dropna().astype(float)
    fitted = semopy.Model(model)
    try:
        fitted.fit(rows, options={"ftol": SEMOPY_TOLERANCE})
        table = fitted.inspect()
        stats = semopy.calc_stats(fitted)
    except (ArithmeticError, LookupError, TypeError, ValueError, np.linalg.LinAlgError) as fault:
        why = _("semopy stops with an error of its own ({fault})").format(fault=fault)
        return Unavailable(_("a comparison with semopy"), why)
    estimates = pd.DataFrame(
        {
            "lhs": table["lval"],
            "op": table["op"],
            "rhs": table["rval"],
            "group": "",
            "est": pd.to_numeric(table["Estimate"], errors="coerce"),
            "se": pd.to_numeric(table["Std. Err"], errors="coerce"),
        }
    )
    chisq, df = float(stats["chi2"].iloc[0]), float(stats["DoF"].iloc[0])
    measures = {"chisq": chisq, "df": df}
    return OutsideFit("semopy", semopy.__version__, estimates, chisq, df, measures)


def _by_parameter(table: pd.DataFrame) -> dict[tuple[str, ...], tuple[float, float]]:
    """Map each parameter to its estimate and error, however its program writes it.

    A loading ``f =~ x`` is a regression ``x ~ f`` in semopy's table; a covariance has two orders.
    """
    out: dict[tuple[str, ...], tuple[float, float]] = {}
    for row in table.itertuples():
        ends = [str(row.lhs), "" if row.op in (":=", "~1") else str(row.rhs)]
        op = "~" if row.op == "=~" else str(row.op)
        if row.op == "~~":
            ends.sort()
        elif row.op == "=~":
            ends.reverse()
        group = "" if row.op == ":=" else str(row.group)
        out[(ends[0], op, ends[1], group)] = (float(row.est), float(row.se))
    return out


def compare_engines(
    result: SemResult, outside: OutsideFit | Unavailable
) -> Agreement | Unavailable:
    """Compare a fit with the same fit by another program.

    Parameters
    ----------
    result : SemResult
        Our fit.
    outside : OutsideFit or Unavailable
        Theirs; an ``Unavailable`` is handed on.

    Raises
    ------
    EstimationError
        The two tables have no estimated parameter in common.
    """
    if isinstance(outside, Unavailable):
        return outside
    table = result.estimates
    estimated = table[(table["free"] > 0) | (table["op"] == ":=")]
    ours, theirs = _by_parameter(estimated), _by_parameter(outside.estimates)
    shared = [key for key in ours if key in theirs]
    if not shared:
        raise EstimationError(
            f"compare_engines: outside= from {outside.engine} shares no parameter with the fit; "
            f"both must be of the same model. Fit the model that result= was made from."
        )
    gaps = {key: abs(ours[key][0] - theirs[key][0]) for key in shared}
    errors = [abs(ours[key][1] - theirs[key][1]) for key in shared]
    known = [gap for gap in errors if math.isfinite(gap)]
    scaled = [gaps[key] / ours[key][1] for key in shared if ours[key][1] > 0]
    worst = max(gaps, key=gaps.__getitem__)
    return Agreement(
        engine=outside.engine,
        version=outside.version,
        n_compared=len(shared),
        largest_estimate=gaps[worst],
        largest_se=max(known) if known else math.nan,
        largest_in_errors=max(scaled, default=math.nan),
        parameter=f"{worst[0]} {worst[1]} {worst[2]}".strip(),
        chisq_gap=abs(_number(result.fit_measures["chisq"]) - outside.chisq),
        df_ours=_number(result.fit_measures["df"]),
        df_theirs=outside.df,
    )


def _number(value: float | Unavailable) -> float:
    """Return a measure, or NaN where it is not available."""
    return math.nan if isinstance(value, Unavailable) else float(value)


@remembered
def agreement_with_semopy(result: SemResult, data: pd.DataFrame) -> Agreement | Unavailable:
    """Make a notebook's engine-agreement line: our plain-ML fit against semopy's.

    Parameters
    ----------
    result : SemResult
        A fit of one group.
    data : DataFrame
        The rows it was fitted to; the model's variables are picked out and incomplete rows dropped,
        as listwise deletion does.

    Returns
    -------
    Agreement or Unavailable
        ``Unavailable`` where semopy cannot do what was fitted (robust or ordinal estimators share
        ML's estimates only in part; groups with equality are not in semopy).
    """
    what = _("a comparison with semopy")
    if result.n_groups > 1:
        return Unavailable(what, _("semopy cannot hold parameters equal over groups"))
    if result.missing == "fiml" and result.n_obs != len(data[list(result.observed)].dropna()):
        return Unavailable(what, _("semopy's treatment of missing answers is not correct"))
    if result.estimator not in ("ML", "MLR", "MLM", "MLMV"):
        return Unavailable(
            what,
            _("semopy does not estimate by {estimator} correctly").format(
                estimator=result.estimator
            ),
        )
    try:
        model = result.to_semopy()
    except SuiteError as fault:
        return Unavailable(what, str(fault))
    return compare_engines(result, fit_with_semopy(model, data[list(result.observed)]))
