"""What an R process needs to fit our model with lavaan: a script, arguments and data as files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import EstimationError, listing, nearest

LAVAAN_NAMES = {
    "estimator": "estimator",
    "missing": "missing",
    "group": "group",
    "group_equal": "group.equal",
    "group_partial": "group.partial",
    "ordered": "ordered",
    "meanstructure": "meanstructure",
    "std_lv": "std.lv",
    "fixed_x": "fixed.x",
    "information": "information",
    "likelihood": "likelihood",
    "n_obs": "sample.nobs",
}

# lavaan's default stop leaves estimates 2e-5 off; when told to go on, nlminb may end by saying that
# it can do no better, which counts as converged here.
R_SCRIPT = """
suppressMessages(library(lavaan))
args <- eval(parse("arguments.R", encoding = "UTF-8"))
if (file.exists("rows.csv")) {
  args$data <- read.csv("rows.csv", check.names = FALSE, encoding = "UTF-8")
} else {
  cov <- read.csv("cov.csv", check.names = FALSE, encoding = "UTF-8")
  args$sample.cov <- matrix(as.matrix(cov), ncol(cov), dimnames = list(names(cov), names(cov)))
  if (file.exists("mean.csv")) args$sample.mean <- unlist(read.csv("mean.csv", check.names = FALSE))
}
tight <- list(control = list(rel.tol = 1e-15, x.tol = 1e-13, abs.tol = 0, iter.max = 20000,
              eval.max = 40000), optim.force.converged = TRUE, optim.attempts = 1,
              em.h1.iter.max = 20000, em.h1.tol = 1e-11)
f <- suppressWarnings(do.call("sem", c(args, tight)))
p <- as.data.frame(parameterEstimates(f, remove.eq = TRUE, remove.nonfree = FALSE))
if (!"group" %in% names(p)) p$group <- ifelse(p$op == ":=", 0, 1)
write.csv(p[c("lhs", "op", "rhs", "group", "est", "se")], "estimates.csv", row.names = FALSE)
m <- fitMeasures(f)
write.csv(data.frame(name = names(m), value = as.numeric(m)), "measures.csv", row.names = FALSE)
writeLines(c(as.character(packageVersion("lavaan")), lavInspect(f, "group.label")), "labels.txt")
"""


def _r_literal(value: object) -> str:
    """Write a string, number, truth value or sequence in R's language."""
    if isinstance(value, bool | np.bool_):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float | np.integer | np.floating):
        return repr(float(value))
    if isinstance(value, Sequence):
        return f"c({', '.join(_r_literal(v) for v in value)})"
    raise EstimationError(
        f"fit_with_lavaan: options= holds a {type(value).__name__}; strings, numbers, truth values "
        f"and sequences of them can be passed on. Convert it first."
    )


def write_request(
    folder: Path, model: str, data: pd.DataFrame | None, options: Mapping[str, Any]
) -> None:
    """Write arguments and data where the R script looks for them."""
    parts = [f"model = {_r_literal(model)}"]
    for name, value in options.items():
        if name in ("sample_cov", "sample_mean") or value is None or value in ((), []):
            continue
        if name not in LAVAAN_NAMES:
            raise EstimationError(
                f"fit_with_lavaan: options= has '{name}'; lavaan can be given "
                f"{listing(LAVAAN_NAMES)}.{nearest(name, LAVAAN_NAMES)} Leave it out."
            )
        if name == "group_equal":
            value = [
                str(v).replace("_", ".") for v in ([value] if isinstance(value, str) else value)
            ]
        parts.append(f"{LAVAAN_NAMES[name]} = {_r_literal(value)}")
    (folder / "arguments.R").write_text(f"list({', '.join(parts)})\n", encoding="utf-8")
    (folder / "fit.R").write_text(R_SCRIPT, encoding="utf-8")
    if data is not None:
        data.to_csv(folder / "rows.csv", index=False)
        return
    cov = pd.DataFrame(options["sample_cov"])
    cov.to_csv(folder / "cov.csv", index=False)
    if options.get("sample_mean") is not None:
        mean = pd.Series(options["sample_mean"], index=cov.columns)
        mean.to_frame().T.to_csv(folder / "mean.csv", index=False)
