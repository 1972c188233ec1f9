# Reference numbers for latent profiles, their outcomes and moderation by context:
# Rscript segments.R > segments.json
# R 4.2, mclust 6.0, car, sandwich. Mixtures are of R's iris, which scikit-learn also brings; the
# other rows are drawn here and stored. mclust starts from a hierarchical clustering, and from
# random subsets here as well, so that both programs look for the best of several solutions.
suppressMessages({library(mclust); library(car); library(sandwich); library(jsonlite)})
set.seed(3)
x <- scale(as.matrix(iris[, 1:4]), center = TRUE, scale = apply(iris[, 1:4], 2, sd))
best <- function(model, k) {
  fits <- lapply(1:40, function(i) {
    z <- unmap(if (i == 1) hclass(hc(x), k) else kmeans(x, k, nstart = 1)$cluster)
    tryCatch(me(x, modelName = model, z = z, control = emControl(tol = c(1e-10, 1e-10), itmax = 5000)), error = function(e) NULL)
  })
  ll <- sapply(fits, function(f) if (is.null(f) || is.na(f$loglik)) -Inf else f$loglik)
  f <- fits[[which.max(ll)]]
  list(loglik = max(ll), shares = sort(f$parameters$pro, decreasing = TRUE))
}
mix <- lapply(c(equal = "EEI", free = "VVI", tied = "EEE"), function(m)
  list(k2 = best(m, 2), k3 = best(m, 3)))
lrt <- mclustBootstrapLRT(x, modelName = "EEI", maxG = 2, nboot = 199, verbose = FALSE)
# A set without clusters: the test of two against one should not be sure.
set.seed(8)
plain <- round(matrix(rnorm(200 * 3), 200), 4)
none <- mclustBootstrapLRT(plain, modelName = "EEI", maxG = 1, nboot = 399, verbose = FALSE)

# Outcome of two profiles put wrongly now and then: maximum of the likelihood by optim.
n <- 300
true <- rbinom(n, 1, 0.4)
D <- rbind(c(0.85, 0.15), c(0.25, 0.75))
put <- rbinom(n, 1, ifelse(true == 1, D[2, 2], D[1, 2]))
y <- round(ifelse(true == 1, 6, 4.5) + rnorm(n, 0, 0.8), 3)
nll <- function(p) {
  pi2 <- plogis(p[4]); s <- exp(p[3])
  -sum(log((1 - pi2) * D[1, put + 1] * dnorm(y, p[1], s) + pi2 * D[2, put + 1] * dnorm(y, p[2], s)))
}
o <- optim(c(4.5, 6, 0, 0), nll, method = "BFGS", control = list(reltol = 1e-14, maxit = 1000))

# The same with a spread of its own in either profile.
y_own <- round(ifelse(true == 1, 6, 4.5) + (y - ifelse(true == 1, 6, 4.5)) * ifelse(true == 1, 2, 0.8), 3)
nll_own <- function(p) {
  pi2 <- plogis(p[5]); s <- exp(p[3:4])
  -sum(log((1 - pi2) * D[1, put + 1] * dnorm(y_own, p[1], s[1]) + pi2 * D[2, put + 1] * dnorm(y_own, p[2], s[2])))
}
o_own <- optim(c(4.5, 6, 0, 0, 0), nll_own, method = "BFGS", control = list(reltol = 1e-14, maxit = 1000))
# and the outcome above, with a spread for each.
y_first <- y_own; y_own <- y
o_both <- optim(c(4.5, 6, 0, 0, 0), nll_own, method = "BFGS", control = list(reltol = 1e-14, maxit = 1000))

# Slope that differs between three contexts.
m <- 180
g <- rep(1:3, each = 60); z <- round(rnorm(m, 4, 1.2), 2); w <- round(rnorm(m), 2)
out <- round(1 + c(0.3, 0.5, 0.8)[g] * z + 0.4 * w + rnorm(m) * (0.5 + 0.1 * abs(z)), 3)
f <- lm(out ~ factor(g) * z + w)
test <- linearHypothesis(f, c("factor(g)2:z = 0", "factor(g)3:z = 0"), vcov. = vcovHC(f, "HC3"))
cat(toJSON(list(
  mixtures = mix,
  lrt = list(ratio = lrt$obs, p = lrt$p.value),
  none = list(rows = plain, ratio = none$obs, p = none$p.value),
  three_step = list(y = y, put = put, D = D, means = o_both$par[1:2], loglik = -o_both$value),
  own_spread = list(y = y_first, means = o_own$par[1:2], sds = exp(o_own$par[3:4])),
  context = list(g = g, z = z, w = w, out = out, f = test$F[2], p = test$`Pr(>F)`[2])
), digits = 12, auto_unbox = TRUE))
