# Standardised paths of single specifications by lavaan.
# python tests/reference/specification_curve.py FOLDER
# Rscript tests/reference/specification_curve.R FOLDER tests/reference/specification_curve.json
suppressMessages({library(lavaan); library(jsonlite)})
arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]
out <- list()
for (i in 1:5) {
  case <- fromJSON(file.path(folder, paste0(i, ".json")))
  data <- read.csv(file.path(folder, paste0(i, ".csv")))
  model <- paste(readLines(file.path(folder, paste0(i, ".lav"))), collapse = "\n")
  ordered <- if (length(case$ordered)) case$ordered else NULL
  fitted <- sem(model, data, estimator = case$estimator, missing = case$missing,
                ordered = ordered, baseline = FALSE)
  stopifnot(lavInspect(fitted, "converged"))
  table <- standardizedSolution(fitted)
  for (outcome in c("RSAT", "LOY")) {
    row <- table[table$lhs == outcome & table$op == "~" & table$rhs == "REC", ]
    out[[length(out) + 1]] <- c(case[c("model", "exclusion", "missing", "estimator", "scale")],
      list(outcome = outcome, n = lavInspect(fitted, "nobs"), est = row$est.std, se = row$se))
  }
}
writeLines(toJSON(list(lavaan = as.character(packageVersion("lavaan")), rows = out),
                  auto_unbox = TRUE, digits = 12, pretty = TRUE), arguments[2])
