# Reference numbers for the Kano analysis: Rscript kano.R > kano.json
# R 4.2, sandwich. Wilson's interval is prop.test without correction.
library(jsonlite)
suppressMessages(library(sandwich))
set.seed(21)
n <- 200
x1 <- round(pmin(7, pmax(1, rnorm(n, 5, 1.3))), 1)
x2 <- round(pmin(7, pmax(1, 0.4 * x1 + rnorm(n, 2.5, 1))), 1)
y <- round(2 + 0.6 * pmin(x1, 5) + 0.1 * pmax(x1 - 5, 0) + 0.2 * x2 + rnorm(n, 0, 0.8), 2)
m <- c(median(x1), median(x2))
fit <- lm(y ~ I(x1 - m[1]) + I(pmax(x1 - m[1], 0)) + I(x2 - m[2]) + I(pmax(x2 - m[2], 0)))
v <- vcovHC(fit, type = "HC3")
counts <- c(M = 40, O = 30, A = 20, I = 5, R = 3, Q = 2)
# Tango's score interval of a difference of two shares of one sample, by root search
score <- function(d, a, b, n) {
  l <- -a - b + (2 * n - a + b) * d
  q <- (sqrt(l^2 + 8 * n * b * d * (1 - d)) - l) / (4 * n)
  (a - b - n * d) / sqrt(n * (2 * q + d * (1 - d)))
}
strength <- function(a, b, n) {
  z <- qnorm(0.975); e <- (a - b) / n
  low <- uniroot(function(d) score(d, a, b, n) - z, c(-1 + 1e-12, e - 1e-12), tol = 1e-14)$root
  high <- if (a == n) 1 else uniroot(function(d) score(d, a, b, n) + z, c(e + 1e-12, 1 - 1e-12), tol = 1e-14)$root
  c(a, b, n, low, high)
}
w <- function(k) { x <- prop.test(k, 95, correct = FALSE)$conf.int; c(x[1], x[2]) }
cat(toJSON(list(
  rows = data.frame(x1, x2, y),
  below = unname(coef(fit)[2]), bend = unname(coef(fit)[3]),
  above_se = sqrt(v[2, 2] + v[3, 3] + 2 * v[2, 3]), bend_se = sqrt(v[3, 3]), df = fit$df.residual,
  better = w(50), worse = w(70),
  strength = rbind(strength(40, 30, 100), strength(12, 4, 50), strength(60, 0, 60), strength(59, 1, 60), strength(30, 30, 100))
), digits = 12, auto_unbox = TRUE))
