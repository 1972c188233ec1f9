# lavaan's side of benchmarks/sem.py: one process, tasks read from standard input, times taken inside R.
#   Rscript benchmarks/sem_lavaan.R FOLDER     FOLDER holds the csv files and model texts
# A task line is "name"; the answer is one line of JSON: seconds of sem() alone, seconds of the tables
# that go with it (standardised estimates, all fit measures), chi-square.
suppressMessages(library(lavaan))
folder <- commandArgs(TRUE)[1]
rows <- function(name) read.csv(file.path(folder, paste0(name, ".csv")))
text <- function(name) paste(readLines(file.path(folder, paste0(name, ".txt"))), collapse = "\n")
M <- text("structural"); C <- text("measurement")
continuous <- rows("continuous"); likert <- rows("likert"); holes <- rows("holes")
items <- setdiff(names(continuous), "group")
clock <- function() proc.time()[[3]]

fits <- function(task) switch(task,
  ML = list(sem(M, continuous)), MLR = list(sem(M, continuous, estimator = "MLR")), MLM = list(sem(M, continuous, estimator = "MLM")),
  WLSMV = list(sem(M, likert, ordered = items, estimator = "WLSMV")), FIML = list(sem(M, holes, missing = "fiml")),
  invariance = lapply(list("", "loadings", c("loadings", "intercepts"), c("loadings", "intercepts", "residuals")),
                      function(e) cfa(C, continuous, group = "group", group.equal = e)),
  { p <- sub("items_", "", task); list(cfa(text(paste0("items_", p)), rows(paste0("items_", p)))) })

connection <- file("stdin", open = "r")
while (length(task <- readLines(connection, n = 1)) == 1 && nzchar(task)) {
  started <- clock()
  found <- suppressWarnings(fits(task))
  fitted <- clock() - started
  started <- clock()
  for (f in found) { parameterEstimates(f, standardized = TRUE); measures <- fitMeasures(f) }
  tables <- clock() - started
  cat(sprintf('{"fit": %.4f, "tables": %.4f, "chisq": %.8f}\n', fitted, tables, measures[["chisq"]]))
  flush(stdout())
}
