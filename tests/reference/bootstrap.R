# Bootstrap replicates by lavaan and intervals by boot, on resamples that both sides can make themselves.
#   Rscript tests/reference/bootstrap.R      writes bootstrap.json
# Resample b of case c: s <- 16807 s mod (2^31 - 1) from s = 7919 c + b, the first ten left out; a draw is s mod n.
# With groups, rows are drawn within them, in order of appearance, by one stream after another.
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1])), "sem_tools.R"))
suppressMessages(library(boot))

draws <- function(sizes, seed) {
  s <- seed; out <- list()
  for (k in 1:10) s <- (16807 * s) %% 2147483647
  for (n in sizes) {
    v <- numeric(n)
    for (i in seq_len(n)) { s <- (16807 * s) %% 2147483647; v[i] <- s %% n + 1 }
    out <- c(out, list(v))
  }
  out
}
resample <- function(d, group, seed) {
  parts <- if (is.null(group)) list(seq_len(nrow(d))) else lapply(unique(d[[group]]), function(g) which(d[[group]] == g))
  unlist(Map(function(rows, at) rows[at], parts, draws(lengths(parts), seed)))
}

chain <- "comp =~ c1 + c2 + c3 + c4\nsat =~ s1 + s2 + s3 + s4\nloy =~ l1 + l2 + l3\nsat ~ a*comp\nloy ~ b*sat + d*comp\nind := a*b\ntotal := a*b + d"
covariates <- "comp =~ c1 + c2 + c3 + c4\nsat =~ s1 + s2 + s3 + s4\nloy =~ l1 + l2 + l3\nsat ~ a*comp + male\nloy ~ b*sat + comp\ncomp ~ age\nind := a*b"
democracy <- "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + a*y2 + b*y3 + c*y4\ndem65 =~ y5 + a*y6 + b*y7 + c*y8\ndem60 ~ p*ind60\ndem65 ~ q*ind60 + s*dem60\ny1 ~~ y5\ny2 ~~ y4 + y6\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8\nind := p*s"
ability <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
survey <- list(source = "file:sem_survey.csv.gz")
items <- c("c1", "c2", "c3", "c4", "s1", "s2", "s3", "s4", "l1", "l2", "l3")
cases <- list(
  list(id = "chain", model = chain, data = survey, options = list(estimator = "ML"), replicates = 20),
  list(id = "means", model = chain, data = survey, options = list(estimator = "ML", meanstructure = TRUE), replicates = 3),
  list(id = "covariates", model = covariates, data = survey, options = list(estimator = "ML"), replicates = 5),
  list(id = "democracy", model = democracy, data = list(source = "democracy"), options = list(estimator = "ML"), replicates = 8),
  list(id = "wishart", model = ability, data = list(source = "holzinger"), options = list(estimator = "ML", likelihood = "wishart", std_lv = TRUE), replicates = 3),
  list(id = "mlr", model = chain, data = survey, options = list(estimator = "MLR"), replicates = 2),
  list(id = "groups", model = ability, data = list(source = "holzinger"), replicates = 4,
       options = list(estimator = "ML", group = "school", group_equal = list("loadings", "intercepts"))),
  list(id = "gls", model = chain, data = survey, options = list(estimator = "GLS"), replicates = 2),
  list(id = "fiml", model = chain, data = list(source = "file:sem_survey.csv.gz", blank = as.list(items)),
       options = list(estimator = "ML", missing = "fiml"), replicates = 3),
  list(id = "wlsmv", model = chain, replicates = 2,
       data = list(source = "file:sem_survey.csv.gz", cut = list(list(columns = as.list(items), breaks = list(2.5, 3.5, 4.5)))),
       options = list(estimator = "WLSMV", ordered = as.list(items))))

kept <- c("chisq", "cfi", "tli", "rmsea", "srmr", "chisq.scaled")
replicate_of <- function(case, d, b, number) {
  at <- resample(d, case$options$group, 7919 * number + b)
  f <- suppressWarnings(call_lavaan(case$model, d[at, ], case$options))
  m <- fitMeasures(f); e <- estimates(f, case$options)
  list(b = b, estimates = e[, c("lhs", "op", "rhs", "group", "est", "std_all")],
       measures = as.list(setNames(num(m[intersect(kept, names(m))]), intersect(kept, names(m)))),
       gradient = max(abs(lavTech(f, "gradient"))))
}

# ---- intervals of a slope and of a correlation, on 60 rows and 999 resamples ---------------------
small <- read_source("file:sem_survey.csv.gz")[1:60, c("c1", "s1")]
n <- nrow(small); B <- 999
slope <- function(d, i) { x <- d$c1[i]; y <- d$s1[i]; cov(x, y) / var(x) }
correlation <- function(d, i) cor(d$c1[i], d$s1[i])
error <- function(d, i) {  # maximum likelihood standard error of the slope
  x <- d$c1[i]; y <- d$s1[i]; r <- y - mean(y) - slope(d, i) * (x - mean(x))
  sum(r^2) / n / (sum((x - mean(x))^2))
}
at <- t(sapply(seq_len(B), function(b) draws(n, 7919 * 100 + b)[[1]]))
with_draws <- function(statistic) {
  o <- boot(small, statistic, R = B)
  o$t[] <- apply(at, 1, function(i) statistic(small, i))
  o
}
bounds <- function(o, kind, ...) {
  found <- boot.ci(o, conf = 0.95, type = kind, ...)
  num(tail(as.numeric(found[[c(norm = "normal", perc = "percent", bca = "bca", stud = "student")[[kind]]]]), 2))
}
intervals_of <- function(statistic) {
  # boot leaves the influence values uncentred; Efron & Tibshirani (1993, eq. 14.15) take them about their mean
  o <- with_draws(statistic); L <- empinf(o, type = "jack"); L <- L - mean(L)
  list(est = num(o$t0), se = num(sd(o$t)), bias = num(mean(o$t) - o$t0), acceleration = num(sum(L^3) / (6 * sum(L^2)^1.5)),
       normal = bounds(o, "norm"), percentile = bounds(o, "perc"), bca = bounds(o, "bca", L = L),
       bc = bounds(o, "bca", L = c(1, -1)))
}
both <- function(d, i) c(slope(d, i), error(d, i))
s <- boot(small, both, R = B)
s$t[] <- t(apply(at, 1, function(i) both(small, i)))
slopes <- c(intervals_of(slope), list(student = bounds(s, "stud", index = 1:2)))

# ---- Bollen-Stine: the transformed rows as lavaan makes them ------------------------------------
g <- call_lavaan(chain, read_source("file:sem_survey.csv.gz"), list(estimator = "ML"))
Y <- as.matrix(lavInspect(g, "data")); S <- cov(Y) * (nrow(Y) - 1) / nrow(Y); Sigma <- lavInspect(g, "implied")$cov
root <- lavaan:::lav_matrix_symmetric_sqrt
Z <- scale(Y, TRUE, FALSE) %*% root(solve(S)) %*% root(unclass(Sigma))
bs <- lapply(1:2, function(b) {
  d <- as.data.frame(Z[draws(nrow(Z), 7919 * 200 + b)[[1]], ]); names(d) <- colnames(Y)
  f <- call_lavaan(chain, d, list(estimator = "ML"))
  list(b = b, estimates = estimates(f, list())[, c("lhs", "op", "rhs", "group", "est", "std_all")], chisq = num(fitMeasures(f, "chisq")))
})

out <- list(list(versions = list(R = R.version.string, lavaan = as.character(packageVersion("lavaan")), boot = as.character(packageVersion("boot")))))
for (k in seq_along(cases)) {
  case <- cases[[k]]; d <- make_data(case$data); message(case$id)
  case$number <- k; case$replicates <- lapply(seq_len(case$replicates), function(b) replicate_of(case, d, b, k))
  out <- c(out, list(case))
}
out <- c(out, list(list(id = "intervals", rows = n, n_boot = B, number = 100, slope = slopes, correlation = intervals_of(correlation))),
         list(list(id = "bollen_stine", number = 200, model = chain, replicates = bs)))
lines <- vapply(out, function(x) as.character(toJSON(x, auto_unbox = TRUE, digits = NA, na = "string", dataframe = "columns")), "")
writeLines(c("[", paste0(lines, c(rep(",", length(lines) - 1), "")), "]"), file.path(here, "bootstrap.json"))
