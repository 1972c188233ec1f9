# Reference values for missing answers: pooling, auxiliary variables, Little's test, polychorics.
# Run from the project root: Rscript tests/reference/missing.R
# Reads survey_items.csv (made by survey.R, no real person); writes missing.json.
suppressMessages({library(mice); library(lavaan); library(semTools); library(psych); library(jsonlite)})
if (dir.exists("tests/reference")) setwd("tests/reference")
d <- read.csv("survey_items.csv")

# 1 Pooling: mice makes five data sets, lm is fitted to each, mice::pool combines
imp <- mice(d, m = 5, method = "pmm", maxit = 10, seed = 11, printFlag = FALSE)
fits <- with(imp, lm(i4 ~ i1 + i3 + i5 + age))
pooled <- pool(fits)
told <- summary(pooled, conf.int = TRUE)
each <- fits$analyses
names_ <- names(coef(each[[1]]))

# 2 D1 of all slopes together, written out: Li, Raghunathan & Rubin (1991), Reiter (2007)
q <- sapply(each, function(f) coef(f)[-1]); m <- ncol(q); k <- nrow(q)
ubar <- Reduce("+", lapply(each, function(f) vcov(f)[-1, -1])) / m
b <- cov(t(q)); qbar <- rowMeans(q)
r <- (1 + 1 / m) * sum(diag(b %*% solve(ubar))) / k
D <- as.numeric(t(qbar) %*% solve(ubar) %*% qbar) / (k * (1 + r))
t_ <- k * (m - 1)
v_large <- if (t_ > 4) 4 + (t_ - 4) * (1 + (1 - 2 / t_) / r)^2 else t_ * (1 + 1 / k) * (1 + 1 / r)^2 / 2
dfcom <- df.residual(each[[1]])
a <- r * t_ / (t_ - 2)
vs <- ((dfcom + 1) / (dfcom + 3)) * dfcom
c0 <- 1 / (t_ - 4); c1 <- vs - 2 * (1 + a); c2 <- vs - 4 * (1 + a)
z <- 1 / c2 + c0 * (a^2 * c1 / ((1 + a)^2 * c2)) +
  c0 * (8 * a^2 * c1 / ((1 + a) * c2^2) + 4 * a^2 / ((1 + a) * c2)) +
  c0 * (4 * a^2 / (c2 * c1) + 16 * a^2 * c1 / c2^3) + c0 * (8 * a^2 / c2^2)
v_small <- 4 + 1 / z

# 3 The same regression from 200 data sets of mice: what another imputation program gives
many <- summary(pool(with(mice(d, m = 200, method = "pmm", maxit = 5, seed = 5,
  printFlag = FALSE), lm(i4 ~ i1 + i3 + i5 + age))))

# 4 Auxiliary variables by saturated correlates
scaled <- transform(d, age = age / 10)
aux <- function(model, with) {
  f <- sem.auxiliary(model, data = scaled, aux = with, missing = "fiml", information = "observed")
  pe <- parameterEstimates(f)
  pe <- pe[!(pe$lhs %in% with | pe$rhs %in% with), c("lhs", "op", "rhs", "est", "se")]
  fm <- fitMeasures(f, c("chisq", "df", "rmsea", "cfi", "tli", "logl"))
  list(model = model, aux = with, estimates = pe, fit = as.list(unclass(fm)))
}
factor_ <- aux("f =~ i1 + i2 + i3 + i4", c("i5", "age"))
paths <- aux("i3 ~ i1 + i2\ni4 ~ i3", c("i5", "age"))

# 5 Little's test of R's airquality: EM moments by lavaan
air <- airquality
vars <- names(air)
pairs <- outer(vars, vars, paste, sep = " ~~ ")
model <- paste(c(paste(vars, "~ 1"), pairs[lower.tri(pairs, TRUE)]), collapse = "\n")
h1 <- lavInspect(lavaan(model, air, missing = "ml", meanstructure = TRUE, fixed.x = FALSE,
  em.h1.tol = 1e-12, em.h1.iter.max = 10000), "sampstat")
mu <- as.numeric(h1$mean[vars]); sigma <- unclass(h1$cov)[vars, vars]
seen <- !is.na(as.matrix(air)); pattern <- apply(seen, 1, paste, collapse = "")
d2 <- 0; df <- -length(vars)
for (p in unique(pattern)) {
  rows <- as.matrix(air)[pattern == p, , drop = FALSE]; o <- seen[which(pattern == p)[1], ]
  g <- colMeans(rows[, o, drop = FALSE]) - mu[o]
  d2 <- d2 + nrow(rows) * as.numeric(t(g) %*% solve(sigma[o, o]) %*% g); df <- df + sum(o)
}

# 6 Polychoric correlations with standard errors (lavCor), and psych's
items <- na.omit(d[paste0("i", 1:5)])
lc <- lavCor(items, ordered = names(items), output = "fit", se = "standard")
pe <- parameterEstimates(lc)
pe <- pe[pe$op == "~~" & pe$lhs != pe$rhs, c("lhs", "rhs", "est", "se")]
pc <- polychoric(items, correct = 0, smooth = FALSE, global = FALSE)$rho

out <- list(
  versions = list(R = R.version.string, mice = as.character(packageVersion("mice")),
    lavaan = as.character(packageVersion("lavaan")), semTools = as.character(packageVersion("semTools")),
    psych = as.character(packageVersion("psych"))),
  pool = list(names = names_, estimates = lapply(each, function(f) unname(coef(f))),
    covariances = lapply(each, function(f) unname(vcov(f))), dfcom = dfcom,
    estimate = pooled$pooled$estimate, within = pooled$pooled$ubar, between = pooled$pooled$b,
    total = pooled$pooled$t, df = pooled$pooled$df, riv = pooled$pooled$riv,
    lambda = pooled$pooled$lambda, fmi = pooled$pooled$fmi, p_value = told$p.value,
    ci_low = told[["2.5 %"]], ci_high = told[["97.5 %"]]),
  d1 = list(statistic = D, riv = r, df1 = k, df_large = v_large, df_small = v_small),
  many = list(estimate = many$estimate, se = many$std.error),
  auxiliary = list(factor = factor_, paths = paths),
  air = list(data = air, statistic = d2, df = df, p_value = pchisq(d2, df, lower.tail = FALSE),
    n_patterns = length(unique(pattern))),
  polychoric = list(lavaan = pe, psych = unname(pc), n = nrow(items))
)
write(toJSON(out, digits = 12, auto_unbox = TRUE, na = "null"), "missing.json")

# 7 Real data, read where they lie beside the project; only numbers are stored
real <- "../../../shared/realdata"
if (dir.exists(real)) {
  univer <- read.csv(file.path(real, "univer_orientation_services/univer.csv"))
  five <- na.omit(univer[c("informat", "willingn", "officeho", "compete", "global")])
  lu <- parameterEstimates(lavCor(five, ordered = names(five), output = "fit", se = "standard"))
  lu <- lu[lu$op == "~~" & lu$lhs != lu$rhs, c("lhs", "rhs", "est", "se")]
  bfi <- read.csv(file.path(real, "bfi/bfi.csv"))[c(paste0("A", 1:5), paste0("C", 1:5))]
  bfi <- bfi[rowSums(!is.na(bfi)) > 0, ]
  vars <- names(bfi); pairs <- outer(vars, vars, paste, sep = " ~~ ")
  model <- paste(c(paste(vars, "~ 1"), pairs[lower.tri(pairs, TRUE)]), collapse = "\n")
  h1 <- lavInspect(lavaan(model, bfi, missing = "ml", meanstructure = TRUE, fixed.x = FALSE,
    em.h1.tol = 1e-12, em.h1.iter.max = 10000), "sampstat")
  mu <- as.numeric(h1$mean[vars]); sigma <- unclass(h1$cov)[vars, vars]
  seen <- !is.na(as.matrix(bfi)); pattern <- apply(seen, 1, paste, collapse = "")
  d2 <- 0; df <- -length(vars)
  for (p in unique(pattern)) {
    rows <- as.matrix(bfi)[pattern == p, , drop = FALSE]; o <- seen[which(pattern == p)[1], ]
    g <- colMeans(rows[, o, drop = FALSE]) - mu[o]
    d2 <- d2 + nrow(rows) * as.numeric(t(g) %*% solve(sigma[o, o]) %*% g); df <- df + sum(o)
  }
  write(toJSON(list(univer = lu, bfi = list(statistic = d2, df = df,
    n_patterns = length(unique(pattern)))), digits = 12, auto_unbox = TRUE), "missing_real.json")
}
