# Reference values for helpers.survey.careless and helpers.survey.distance, by R.
# Run from the project root: Rscript tests/reference/careless.R
# Writes careless_items.csv (SIMULATED answers, no real person) and careless.json.
# The formulas of careless 1.2 (longstring, irv, evenodd, psychsyn, mahad) are written out from
# Johnson (2005), Meade & Craig (2012), Curran (2016) and Dunn et al. (2018), one respondent at a
# time; the distance of complete rows is psych::outlier().
suppressMessages({library(psych); library(jsonlite)})
if (dir.exists("tests/reference")) setwd("tests/reference")
set.seed(20240607)
n <- 60; blocks <- 6; size <- 4; k <- blocks * size
g <- rnorm(n)
x <- do.call(cbind, lapply(1:blocks, function(b) {
  f <- 0.5 * g + sqrt(0.75) * rnorm(n)
  z <- sapply(1:size, function(j) 0.88 * f + sqrt(1 - 0.88^2) * rnorm(n))
  apply(z, 2, function(v) as.integer(cut(v, c(-Inf, -1.4, -0.9, -0.3, 0.4, 0.9, 1.5, Inf))))
}))
colnames(x) <- paste0(rep(LETTERS[1:blocks], each = size), 1:size)
reversed <- paste0(LETTERS[1:blocks], size)
x[, reversed] <- 8L - x[, reversed]                  # as asked
x[1, ] <- 4L                                         # one answer all along
x[2, ] <- rep(1:5, length.out = k)                   # a pattern
x[3, ] <- sample(1:7, k, replace = TRUE)             # at random
x[4, ] <- rep(7:2, each = 4)                         # long runs
full <- x
for (i in 5:24) x[i, sample(k, 1 + i %% 5)] <- NA
x[25, 1:20] <- NA; x[26, ] <- NA
write.csv(x, "careless_items.csv", row.names = FALSE, na = "")

keyed <- x; keyed[, reversed] <- 8 - keyed[, reversed]
runs <- function(r) { out <- c(); cur <- 0; last <- NA
  for (v in r) {
    if (is.na(v)) { if (cur > 0) out <- c(out, cur); cur <- 0 }
    else if (!is.na(last) && v == last) cur <- cur + 1
    else { if (cur > 0) out <- c(out, cur); cur <- 1 }
    last <- v
  }
  if (cur > 0) out <- c(out, cur); out }
r_of <- function(a, b) {
  ok <- !is.na(a) & !is.na(b)
  if (sum(ok) < 3 || sd(a[ok]) == 0 || sd(b[ok]) == 0) return(NA)
  cor(a[ok], b[ok])
}
evenodd <- function(r) {
  halves <- sapply(1:blocks, function(b) {
    v <- r[(b - 1) * size + 1:size]
    c(mean(v[c(1, 3)], na.rm = TRUE), mean(v[c(2, 4)], na.rm = TRUE)) })
  halves[is.nan(halves)] <- NA
  v <- r_of(halves[1, ], halves[2, ])
  if (is.na(v)) NA else if (v <= -1) -1 else max(-1, 2 * v / (1 + v))
}
pairs_of <- function(least) {
  R <- cor(x, use = "pairwise.complete.obs"); out <- list()
  for (j in 1:(k - 1)) for (i in (j + 1):k)
    if ((least > 0 && R[i, j] > least) || (least < 0 && R[i, j] < least))
      out[[length(out) + 1]] <- colnames(x)[c(i, j)]
  do.call(rbind, out)
}
syn <- pairs_of(0.6); ant <- pairs_of(-0.6)
by_pairs <- function(p) apply(x, 1, function(r) r_of(r[p[, 1]], r[p[, 2]]))
total <- sapply(1:n, function(i) r_of(x[i, ], colMeans(x[-i, ], na.rm = TRUE)))
auto <- apply(x, 1, function(r) {
  v <- sapply(1:8, function(l) abs(r_of(r[1:(k - l)], r[(l + 1):k])))
  if (all(is.na(v))) NA else max(v, na.rm = TRUE) })
opposite <- do.call(rbind, lapply(1:blocks, function(b)
  cbind(paste0(LETTERS[b], 1:3), paste0(LETTERS[b], 4))))
contra <- apply(x, 1, function(r) {
  s <- sign(r[opposite[, 1]] - 4) * sign(r[opposite[, 2]] - 4)
  if (all(is.na(s))) NA else mean(s[!is.na(s)] == 1) })
S <- cov(full); m <- colMeans(full)
over_answered <- apply(x, 1, function(r) {
  o <- !is.na(r)
  if (!any(o)) return(NA)
  as.numeric(t(r[o] - m[o]) %*% solve(S[o, o]) %*% (r[o] - m[o])) })

out <- list(
  versions = list(R = R.version.string, psych = as.character(packageVersion("psych"))),
  longest = apply(x, 1, function(r) { v <- runs(r); if (length(v)) max(v) else 0 }),
  average = apply(x, 1, function(r) { v <- runs(r); if (length(v)) mean(v) else NA }),
  spread = apply(x, 1, sd, na.rm = TRUE),
  even_odd = apply(keyed, 1, evenodd),
  synonyms = list(pairs = syn, r = by_pairs(syn)),
  antonyms = list(pairs = ant, r = by_pairs(ant)),
  person_total = total, autocorrelation = auto, contradictions = contra,
  opposite = opposite,
  distance = list(mean = unname(m), covariance = unname(S), answered = over_answered,
                  psych_complete = unname(outlier(full, plot = FALSE)), full = unname(full))
)
write(toJSON(out, digits = 12, auto_unbox = TRUE, na = "null"), "careless.json")
