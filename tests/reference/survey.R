# Reference values for helpers.survey, by R.
# Run from the project root: Rscript tests/reference/survey.R
# Writes survey_items.csv (made here, no real person) and survey.json.
suppressMessages({library(lavaan); library(psych); library(jsonlite)})
if (dir.exists("tests/reference")) setwd("tests/reference")
set.seed(20240501)
n <- 240; p <- 5
f <- rnorm(n)
z <- sapply(1:p, function(j) 0.7 * f + sqrt(1 - 0.49) * rnorm(n))
x <- apply(z, 2, function(v) as.integer(cut(v, c(-Inf, -1.4, -0.9, -0.3, 0.4, 0.9, 1.5, Inf))))
colnames(x) <- paste0("i", 1:p)
age <- round(40 + 8 * f + rnorm(n, 0, 10))
complete <- x
x[runif(n) < 0.08, 1] <- NA
x[runif(n) < plogis(-3.2 + 0.06 * (age - 30)), 3] <- NA
x[runif(n) < 0.05, 5] <- NA
d <- data.frame(x, age = age)
write.csv(d, "survey_items.csv", row.names = FALSE, na = "")

# Little's test: EM moments by lavaan, statistic written out
items <- paste0("i", 1:p)
model <- paste(c(paste(items, "~ 1"), outer(1:p, 1:p, function(i, j)
  ifelse(i >= j, paste0("i", j, " ~~ i", i), NA))), collapse = "\n")
model <- gsub("\nNA", "", model)
h1 <- lavInspect(lavaan(model, d[items], missing = "ml", meanstructure = TRUE,
  em.h1.tol = 1e-12, em.h1.iter.max = 10000), "sampstat")
mu <- as.numeric(h1$mean[items]); sigma <- unclass(h1$cov)[items, items]
seen <- !is.na(as.matrix(d[items]))
pattern <- apply(seen, 1, function(r) paste(as.integer(r), collapse = ""))
d2 <- 0; df <- -p
for (k in unique(pattern)) {
  rows <- as.matrix(d[items])[pattern == k, , drop = FALSE]
  o <- seen[which(pattern == k)[1], ]
  g <- colMeans(rows[, o, drop = FALSE]) - mu[o]
  d2 <- d2 + nrow(rows) * as.numeric(t(g) %*% solve(sigma[o, o]) %*% g)
  df <- df + sum(o)
}
blank <- as.integer(is.na(d$i3))
fit <- glm(blank ~ scale(d$age), family = binomial)
null <- glm(blank ~ 1, family = binomial)

m <- mardia(complete, plot = FALSE)
one <- describe(complete, type = 1)
wilson <- lapply(list(c(0, 12), c(5, 20), c(57, 240)), function(v)
  as.numeric(prop.test(v[1], v[2], correct = FALSE)$conf.int))
out <- list(
  versions = list(R = R.version.string, lavaan = as.character(packageVersion("lavaan")),
                  psych = as.character(packageVersion("psych"))),
  little = list(mean = mu, cov = unname(sigma), statistic = d2, df = df,
                p_value = pchisq(d2, df, lower.tail = FALSE), n_patterns = length(unique(pattern))),
  logit = list(coef = unname(coef(fit)[2]), se = unname(sqrt(diag(vcov(fit)))[2]),
               chi2 = null$deviance - fit$deviance, n_missing = sum(blank)),
  mardia = list(complete = unname(complete), b1p = m$b1p, b2p = m$b2p, chi2 = m$skew,
                z = m$kurtosis, p_skew = m$p.skew, p_kurt = m$p.kurt),
  describe = list(mean = one$mean, sd = one$sd, skew = one$skew, kurtosis = one$kurtosis),
  wilson = wilson,
  careless = list(longest_run = apply(complete, 1, function(r) max(rle(as.integer(r))$lengths)),
                  spread = apply(complete, 1, sd))
)
write(toJSON(out, digits = 12, auto_unbox = TRUE), "survey.json")
