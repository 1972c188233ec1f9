# HTMT by semTools, bootstrapped by boot: answers with its own seconds.
#   Rscript measurement_semtools.R DATA.csv MODEL.txt DRAWS
suppressMessages({library(semTools); library(boot)})
args <- commandArgs(TRUE)
data <- read.csv(args[1]); model <- paste(readLines(args[2]), collapse = "\n"); draws <- as.integer(args[3])
ratios <- function(x, rows) { m <- unclass(htmt(model, x[rows, ], htmt2 = FALSE)); m[lower.tri(m)] }
set.seed(1)
seconds <- system.time(b <- boot(data, ratios, R = draws))[["elapsed"]]
cat(seconds, paste(format(b$t0, digits = 15), collapse = ","), sep = "\n")
