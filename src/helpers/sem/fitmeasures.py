"""Fit measures of a result under lavaan's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from helpers.blas import one_thread
from helpers.errors import Unavailable
from helpers.i18n import _
from helpers.sem import fitindices as fi
from helpers.sem.discrepancy import invert, weigh
from helpers.sem.model import vech_index

if TYPE_CHECKING:
    from helpers.sem.result import SemResult, Test

Array = np.ndarray
Measures = dict[str, "float | Unavailable"]
Corrected = "dict[str, float] | Unavailable | None"


@one_thread
def fit_measures(result: SemResult) -> Measures:
    """Collect every measure that the estimator allows."""
    test = result.test
    out: Measures = {"npar": result.npar, "fmin": minimum(result)}
    out |= _test_block(test, "")
    if not result.converged:
        why = _("the estimation did not converge")
        return {k: Unavailable(k, why) for k in [*out, "cfi", "tli", "rmsea", "srmr"]}
    corrected = corrected_test(result)
    out |= _incremental(result, corrected)
    out |= _likelihood(result)
    out |= _rmsea(result, corrected)
    out |= _residuals(result)
    out |= _others(result)
    return out


def minimum(result: SemResult) -> float:
    """lavaan's fmin: the discrepancy that was minimised."""
    return float(sum(w * f for w, f in zip(result.context.target.weights, result.group_f)))


def _test_block(test: Test, prefix: str) -> Measures:
    """chisq, df, pvalue and their scaled forms."""
    out: Measures = {
        f"{prefix}chisq": test.chisq,
        f"{prefix}df": test.df,
        f"{prefix}pvalue": _p(test.chisq, test.df),
    }
    if test.scaled is not None:
        out[f"{prefix}chisq_scaled"] = test.scaled
        out[f"{prefix}df_scaled"] = test.df_scaled
        out[f"{prefix}pvalue_scaled"] = _p(test.scaled, test.df_scaled)
        out[f"{prefix}chisq_scaling_factor"] = (
            test.scaling
            if test.scaling is not None and np.isfinite(test.scaling)
            else Unavailable(_("the scaling factor"), _("the model is saturated"))
        )
        if test.shift is not None:
            out[f"{prefix}chisq_shift_parameter"] = test.shift
    return out


def _p(chisq: float, df: float) -> float | Unavailable:
    """Upper tail, or the reason why there is none."""
    if df > 0:
        return fi.p_chisq(chisq, df)
    return Unavailable(_("p-value"), _("the model is saturated, there is nothing to test"))


def _incremental(result: SemResult, corrected: Corrected) -> Measures:
    """Baseline test and the indices made from it."""
    test, base = result.test, result.baseline
    if isinstance(base, Unavailable):
        return dict.fromkeys(("baseline_chisq", "baseline_df", "cfi", "tli"), base)
    out = _test_block(base, "baseline_")
    x, df, x0, df0 = test.chisq, test.df, base.chisq, base.df
    if df0 <= 0:
        why = Unavailable(_("CFI and TLI"), _("the baseline model has no degrees of freedom"))
        return out | {"cfi": why, "tli": why}
    out |= {"cfi": fi.cfi(x, df, x0, df0), "tli": fi.tli(x, df, x0, df0)}
    out |= {"nnfi": fi.tli(x, df, x0, df0), "rni": fi.rni(x, df, x0, df0)}
    out |= fi.relative_indices(x, df, x0, df0)
    if test.scaled is not None and base.scaled is not None:
        s, d, s0, d0 = test.scaled, test.df_scaled, base.scaled, base.df_scaled
        out |= {"cfi_scaled": fi.cfi(s, d, s0, d0), "tli_scaled": fi.tli(s, d, s0, d0)}
        out |= {"nnfi_scaled": fi.tli(s, d, s0, d0), "rni_scaled": fi.rni(s, d, s0, d0)}
        out |= {f"{k}_scaled": v for k, v in fi.relative_indices(s, d, s0, d0).items()}
    out |= _robust_incremental(corrected)
    return out


def scaling_of(test: Test) -> float:
    """The factor c that robust indices use: the scaling, shift folded in."""
    if test.shift is not None:
        return test.scaling * (test.df - test.shift) / test.df if test.df else 1.0
    return test.scaling if test.scaling is not None and np.isfinite(test.scaling) else 1.0


def _robust_incremental(corrected: Corrected) -> Measures:
    """Robust CFI and TLI (Brosseau-Liard & Savalei 2014), or their incomplete-data forms."""
    if corrected is None:
        return {}
    if isinstance(corrected, Unavailable):
        return {"cfi_robust": corrected, "tli_robust": corrected}
    x, df, x0, df0, c, c0 = (corrected[k] for k in ("x", "df", "x0", "df0", "c", "c0"))
    return {
        "cfi_robust": fi.cfi(x, df, x0, df0, c, c0),
        "tli_robust": fi.tli(x, df, x0, df0, c, c0),
        "nnfi_robust": fi.tli(x, df, x0, df0, c, c0),
        "rni_robust": fi.rni(x, df, x0, df0, c, c0),
    }


def corrected_test(result: SemResult) -> Corrected:
    """Statistics behind the robust indices; ``None`` where none are defined."""
    test, base = result.test, result.baseline
    if result.missing == "fiml":
        from helpers.sem.fiml_robust import fiml_corrected

        return fiml_corrected(result)
    if result.test_name == "mean-adjusted-shifted-ordinal":
        from helpers.sem.ordinal_measures import ordinal_corrected

        return ordinal_corrected(result)
    if test.scaled is None or result.test_name == "mean-variance-adjusted":
        return None
    if isinstance(base, Unavailable) or base.scaled is None:
        return Unavailable(
            _("robust CFI, TLI and RMSEA"), _("the baseline test has no scaled form")
        )
    c, c0 = scaling_of(test), scaling_of(base)
    return {"x": test.chisq, "df": test.df, "x0": base.chisq, "df0": base.df, "c": c, "c0": c0,
            "scaled": test.scaled, "c_ci": test.scaling}  # fmt: skip


def _likelihood(result: SemResult) -> Measures:
    """Log-likelihoods, AIC and BIC."""
    if result.estimator not in ("ML", "MLR", "MLM", "MLMV"):
        why = _("the estimator {name} maximises no likelihood").format(name=result.estimator)
        return {k: Unavailable(k, why) for k in ("logl", "aic", "bic")}
    h0, h1 = log_likelihoods(result)
    n, q = result.n_obs, result.npar
    out: Measures = {
        "logl": h0,
        "unrestricted_logl": h1,
        "aic": -2.0 * h0 + 2.0 * q,
        "bic": -2.0 * h0 + q * np.log(n),
        "ntotal": n,
        "bic2": -2.0 * h0 + q * np.log((n + 2.0) / 24.0),
    }
    if result.test.h0_scaling is not None:
        out["scaling_factor_h1"] = result.test.h1_scaling
        out["scaling_factor_h0"] = result.test.h0_scaling
    return {k: float(v) if k != "ntotal" else v for k, v in out.items()}


def log_likelihoods(result: SemResult) -> tuple[float, float]:
    """Log-likelihood of the model and of the saturated model, given fixed covariates."""
    if result.missing == "fiml":
        return result.context.extra.logl, result.context.extra.logl_h1
    h1 = 0.0
    for sample in result.moments:
        x = list(result.context.fixed_x)
        h1 += _saturated(sample.cov, sample.n)
        if x:
            h1 -= _saturated(sample.cov[np.ix_(x, x)], sample.n)
    h0 = h1 - sum(m.n * f for m, f in zip(result.moments, result.group_f))
    return h0, h1


def _saturated(cov: Array, n: int) -> float:
    """Log-likelihood at the sample moments."""
    p = len(cov)
    return -0.5 * n * (p * np.log(2.0 * np.pi) + np.linalg.slogdet(cov)[1] + p)


def n_for_indices(result: SemResult) -> float:
    """N of RMSEA and kin: N, or N - G where the test itself uses N - 1."""
    likelihood = result.estimator in ("ML", "MLR", "MLM", "MLMV")
    plain = likelihood and result.likelihood == "normal"
    return float(result.n_obs if plain else result.n_obs - result.n_groups)


def _rmsea(result: SemResult, corrected: Corrected) -> Measures:
    """RMSEA, scaled and robust, with intervals."""
    test, n, g = result.test, n_for_indices(result), result.n_groups
    out: Measures = fi.rmsea_block(test.chisq, test.df, n, g)
    out |= {
        "rmsea_ci_level": fi.RMSEA_LEVEL,
        "rmsea_close_h0": fi.CLOSE_FIT,
        "rmsea_notclose_h0": fi.NOT_CLOSE_FIT,
    }
    if test.scaled is not None:
        if test.shift is not None:
            out |= fi.rmsea_block(test.scaled, test.df, n, g, "_scaled")
        elif test.trace:
            out |= fi.rmsea_block(test.chisq, test.trace, n, g, "_scaled")
    if isinstance(corrected, Unavailable):
        out["rmsea_robust"] = corrected
    elif corrected is not None:
        out |= fi.rmsea_block(
            corrected["x"], corrected["df"], n, g, "_robust",
            c=corrected["c"], chisq_ci=corrected["scaled"], c_ci=corrected.get("c_ci"),
        )  # fmt: skip
    if test.df <= 0:
        why = Unavailable(_("RMSEA test"), _("the model is saturated, there is nothing to test"))
        out = {k: why if isinstance(v, float) and np.isnan(v) else v for k, v in out.items()}
    return out


def _residuals(result: SemResult) -> Measures:
    """RMR and SRMR, groups weighted by N."""
    if hasattr(result.context.extra, "samples"):
        from helpers.sem.ordinal_measures import ordinal_residuals

        return ordinal_residuals(result)
    groups = []
    for sample, state in zip(result.moments, result.states):
        mean, mu = (sample.mean, state.mu) if result.meanstructure else (None, None)
        groups.append(fi.residual_summaries(sample.cov, state.sigma, mean, mu))
    shares = [m.n / result.n_obs for m in result.moments]
    out: Measures = {k: sum(w * g[k] for w, g in zip(shares, groups)) for k in groups[0]}
    out["srmr"] = out["srmr_bentler"]
    return out


def _others(result: SemResult) -> Measures:
    """Critical N, GFI, AGFI, PGFI, MFI, ECVI."""
    test, n = result.test, n_for_indices(result)
    x, df = test.chisq, test.df
    out: Measures = {
        "cn_05": fi.critical_n(x, df, n, 0.05),
        "cn_01": fi.critical_n(x, df, n, 0.01),
        "mfi": float(np.exp(-0.5 * (x - df) / n)),
        "ecvi": x / n + 2.0 * result.npar / n,
    }
    if df <= 0:
        why = Unavailable(_("critical N"), _("the model is saturated"))
        out |= {"cn_05": why, "cn_01": why}
    gfi = sum(m.n * g for m, g in zip(result.moments, _gfi(result))) / result.n_obs
    count = sum(len(m.cov) * (len(m.cov) + 1) // 2 for m in result.moments)
    if result.meanstructure:
        count += sum(len(m.cov) for m in result.moments)
    if hasattr(result.context.extra, "samples"):
        from helpers.sem.ordinal_measures import ordinal_count

        count = ordinal_count(result)
        out["wrmr"] = float(np.sqrt(x / count * result.n_groups))
    agfi = 1.0 - (count / df) * (1.0 - gfi) if df > 0 else 1.0
    return out | {"gfi": gfi, "agfi": agfi, "pgfi": df / count * gfi}


def _gfi(result: SemResult) -> list[float]:
    """Goodness-of-fit index of every group: weighted residuals against weighted moments."""
    if result.missing == "fiml":
        from helpers.sem.fiml_robust import gfi_incomplete

        return gfi_incomplete(result)
    target = result.context.target
    if result.missing == "fiml":
        return _gfi_incomplete(result)
    out = []
    for g, (sample, state) in enumerate(zip(result.moments, result.states)):
        if hasattr(target, "targets"):
            r = target.targets[g] - target.implied(result.model[g], state)
            top = float(r @ weigh(target.weight[g], r))
            bottom = float(target.targets[g] @ weigh(target.weight[g], target.targets[g]))
            out.append(1.0 - top / bottom)
            continue
        p = sample.inverse if result.estimator == "GLS" else invert(state.sigma)[0]
        x = list(result.context.fixed_x)  # moments of fixed covariates carry no weight
        cov = sample.cov.copy()
        cov[np.ix_(x, x)] = 0.0
        e, s = p @ (sample.cov - state.sigma), p @ cov
        top, bottom = 0.5 * float(np.sum(e * e.T)), 0.5 * float(np.sum(s * s.T))
        if result.meanstructure:
            d, mean = sample.mean - state.mu, sample.mean.copy()
            mean[x] = 0.0
            top, bottom = top + float(d @ p @ d), bottom + float(mean @ p @ mean)
        out.append(1.0 - top / bottom)
    return out


def _gfi_incomplete(result: SemResult) -> list[float]:
    """GFI with the expected information of the incomplete rows' saturated moments as weight."""
    out, x = [], list(result.context.fixed_x)
    groups = result.context.target.groups
    for sample, state, group in zip(result.moments, result.states, groups):
        weight = group.expected
        r, s = vech_index(len(sample.cov))
        cov, mean = sample.cov.copy(), sample.mean.copy()
        cov[np.ix_(x, x)], mean[x] = 0.0, 0.0
        e = np.concatenate([sample.mean - state.mu, (sample.cov - state.sigma)[r, s]])
        m = np.concatenate([mean, cov[r, s]])
        out.append(1.0 - float(e @ weight @ e) / float(m @ weight @ m))
    return out
