# Reference numbers for the recovery process: Rscript process.R > process.json
# R 4.2, sandwich. The rows stand in this script, so that the test reads the same ones.
library(jsonlite)
suppressMessages(library(sandwich))
set.seed(11)
n <- 90
measure <- rep(1:3, each = 30)
hours <- round(exp(rnorm(n, log(c(10, 20, 40)[measure]), 0.5)), 1)
y <- round(5 - 0.3 * log2(hours) + 0.4 * (measure == 1) + rnorm(n), 2)
a <- round(pmin(100, pmax(0, rnorm(n, 60, 20))), 1)
b <- round(pmin(100, pmax(0, 0.5 * a + rnorm(n, 25, 15))), 1)
a[3] <- NA
plain <- lm(y ~ log2(hours)); within <- lm(y ~ log2(hours) + factor(measure))
se <- function(m) sqrt(vcovHC(m, type = "HC3")[2, 2])
ta <- t.test(a)
cat(toJSON(list(
  rows = data.frame(measure, hours, y, a, b),
  mean = list(estimate = unname(ta$estimate), low = ta$conf.int[1], high = ta$conf.int[2]),
  plain = list(b = unname(coef(plain)[2]), se = se(plain), df = plain$df.residual),
  within = list(b = unname(coef(within)[2]), se = se(within), df = within$df.residual)
), digits = 12, auto_unbox = TRUE, na = "null"))
