# Ordered answers: thresholds, polychoric, polyserial and Pearson correlations, and the asymptotic
# covariance matrix that WLSMV weighs them with.   Rscript ordinal.R -> ordinal.json, ordinal_data.csv
# lavaan 0.6-14. One-factor models are only set up (do.fit = FALSE): the moments are what counts.
# lavaan's search for a correlation stops near 1e-8; its second data set is 90 rows so that tables
# have empty cells.
suppressMessages({library(lavaan); library(jsonlite)})
set.seed(412)
n <- 260
f <- rnorm(n)
load <- c(.8, .7, .6, .75, .5, .65, -.55)
X <- outer(f, load) + matrix(rnorm(n * 7), n) %*% diag(sqrt(1 - load^2))
cutat <- function(x, th) as.integer(cut(x, c(-Inf, th, Inf)))
d <- data.frame(
  a7 = cutat(X[, 1], c(-2, -1.5, -1, -.3, .4, 1.1)), b5 = cutat(X[, 2], c(-1.2, -.4, .5, 1.4)),
  c3 = cutat(X[, 3], c(-1, .8)), d2 = cutat(X[, 4], .4), e2 = cutat(X[, 5], -1.3),
  y1 = round(2 + 3 * X[, 6], 3), y2 = round(.2 * X[, 7] - 1, 4))
d$group <- rep(1:2, length.out = n)
d[c(3, 40), "a7"] <- NA; d[c(9, 40, 77, 130), "y1"] <- NA; d[c(5, 200), "d2"] <- NA
d[c(11, 12), "y2"] <- NA
# in the first 90 rows e2 and d2 leave one cell of their table empty
d$e2[1:90][which(d$e2[1:90] == 1 & d$d2[1:90] == 2)] <- 2
d$x1 <- round(2 * rnorm(n) + 1 + .5 * X[, 1], 3); d$x2 <- as.integer(runif(n) < .4)
write.csv(d, "ordinal_data.csv", row.names = FALSE, na = "")
moments <- function(rows, items, ordered, missing = "listwise") {
  fit <- suppressWarnings(cfa(paste("f =~", paste(items, collapse = " + ")), d[rows, ],
    ordered = ordered, estimator = "WLSMV", missing = missing, do.fit = FALSE, std.lv = TRUE))
  s <- lavInspect(fit, "sampstat")
  list(items = items, ordered = ordered, rows = length(rows), missing = missing,
    nobs = lavInspect(fit, "nobs"), cov = unname(unclass(s$cov)), th = as.numeric(s$th),
    th_names = names(s$th), mean = as.numeric(s$mean), wls_obs = as.numeric(lavTech(fit, "wls.obs")[[1]]),
    gamma = unname(lavTech(fit, "gamma")[[1]]), wls_v = diag(lavTech(fit, "WLS.V")[[1]]))
}
# regressions of every variable on covariates: lavaan's conditional.x
given <- function(items, ordered) {
  fit <- suppressWarnings(sem(paste(items, "~ x1 + x2", collapse = "\n"), d, ordered = ordered,
    estimator = "WLSMV", do.fit = FALSE))
  list(items = lavNames(fit, "ov.nox"), ordered = ordered, covariates = c("x1", "x2"),
    nobs = lavInspect(fit, "nobs"), wls_obs = as.numeric(lavTech(fit, "wls.obs")[[1]]),
    gamma = unname(lavTech(fit, "gamma")[[1]]))
}
all <- 1:n
out <- list(lavaan = as.character(packageVersion("lavaan")),
  ordered = moments(all, c("a7", "b5", "c3", "d2", "e2"), c("a7", "b5", "c3", "d2", "e2")),
  mixed = moments(all, c("y1", "a7", "d2", "y2", "c3"), c("a7", "d2", "c3")),
  empty_cell = moments(1:90, c("d2", "e2", "c3"), c("d2", "e2", "c3")),
  pairwise = moments(all, c("y1", "a7", "d2", "y2", "c3"), c("a7", "d2", "c3"), "pairwise"),
  conditional = given(c("y1", "a7", "d2", "y2", "c3"), c("a7", "d2", "c3")))
writeLines(toJSON(out, digits = NA, auto_unbox = TRUE, matrix = "rowmajor"), "ordinal.json")
