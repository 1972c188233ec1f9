# Reference numbers for expected and perceived quality: Rscript gaps.R > gaps.json
# R 4.2, sandwich, car.
library(jsonlite)
suppressMessages({library(sandwich); library(car)})
set.seed(31)
n <- 150
e1 <- round(pmin(7, pmax(1, rnorm(n, 5.6, 1))), 1); e2 <- round(pmin(7, pmax(1, 0.5 * e1 + rnorm(n, 2.8, 0.8))), 1)
p1 <- round(pmin(7, pmax(1, rnorm(n, 5, 1.1))), 1); p2 <- round(pmin(7, pmax(1, 0.6 * p1 + rnorm(n, 1.9, 0.9))), 1)
y <- round(1 + 0.5 * p1 + 0.3 * p2 - 0.1 * e1 + rnorm(n, 0, 0.8), 2)
g1 <- p1 - e1; g2 <- p2 - e2
tt <- t.test(p1, e1, paired = TRUE)
both <- lm(y ~ e1 + e2 + p1 + p2)
v <- vcovHC(both, type = "HC3")
h1 <- linearHypothesis(both, c("e1 + p1 = 0", "e2 + p2 = 0"), vcov. = v, test = "F")
h2 <- linearHypothesis(both, c("e1 = 0", "e2 = 0"), vcov. = v, test = "F")
cat(toJSON(list(
  rows = data.frame(e1, e2, p1, p2, y),
  gap = list(estimate = unname(tt$estimate), low = tt$conf.int[1], high = tt$conf.int[2]),
  r2 = list(gap = summary(lm(y ~ g1 + g2))$r.squared, perceived = summary(lm(y ~ p1 + p2))$r.squared, both = summary(both)$r.squared),
  gap_f = h1$F[2], gap_p = h1$`Pr(>F)`[2], expected_f = h2$F[2], expected_p = h2$`Pr(>F)`[2]
), digits = 12, auto_unbox = TRUE))
