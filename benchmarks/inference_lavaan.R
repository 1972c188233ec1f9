# lavaan's side of benchmarks/inference.py: one process, tasks read from standard input, times taken inside R.
#   Rscript benchmarks/inference_lavaan.R FOLDER     FOLDER holds the csv files and the model text
# Tasks, answered by one line of JSON each:
#   boot R CPUS   bootstrapLavaan with R replicates: seconds
#   bootfiml R    the same with missing = "fiml"
#   refit         refits on the resamples of indices.csv, stopped as late as BFGS can, to refits.csv
suppressMessages(library(lavaan))
folder <- commandArgs(TRUE)[1]
rows <- function(name) read.csv(file.path(folder, paste0(name, ".csv")))
M <- paste(readLines(file.path(folder, "model.txt")), collapse = "\n")
d <- rows("continuous"); holes <- rows("holes")
fit <- sem(M, d)
clock <- function() proc.time()[[3]]

boot <- function(f, n, cpus = 1) {
  started <- clock()
  kind <- if (cpus > 1) "multicore" else "no"
  suppressWarnings(bootstrapLavaan(f, R = n, FUN = "coef", parallel = kind, ncpus = cpus))
  clock() - started
}
refit <- function() {
  started <- clock()
  at <- rows("indices"); tight <- list(reltol = 1e-20, maxit = 1e5)
  found <- t(apply(at, 1, function(i) suppressWarnings(coef(sem(M, d[i, ], se = "none", test = "none", optim.method = "BFGS",
             optim.force.converged = TRUE, start = fit, control = tight)))))
  write.csv(found, file.path(folder, "refits.csv"), row.names = FALSE)
  clock() - started
}
connection <- file("stdin", open = "r")
while (length(line <- readLines(connection, n = 1)) == 1 && nzchar(line)) {
  w <- strsplit(line, " ")[[1]]
  spent <- switch(w[1],
    boot = boot(fit, as.integer(w[2]), as.integer(w[3])),
    bootfiml = { f <- sem(M, holes, missing = "fiml", se = "none", test = "none", baseline = FALSE); boot(f, as.integer(w[2])) },
    refit = refit())
  cat(sprintf('{"seconds": %.4f}\n', spent))
  flush(stdout())
}
