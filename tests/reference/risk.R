# Reference numbers for the risk of leaving: Rscript risk.R > risk.json
# R 4.2, glmnet, pROC, rms. The rows stand in this script, so that the test reads the same ones.
library(jsonlite)
suppressMessages({library(glmnet); library(pROC); library(rms)})
set.seed(11)
n <- 240
x <- data.frame(a = round(rnorm(n), 3), b = round(rnorm(n, 20, 5), 2), c = rbinom(n, 1, 0.3),
                d = round(rexp(n, 0.1), 2), e = round(rnorm(n), 3))
y <- rbinom(n, 1, plogis(-0.8 + 0.7 * x$a + 0.08 * (x$b - 20) - 0.6 * x$c))
m <- as.matrix(x)
lambdas <- c(0.08, 0.03, 0.01, 0.002)
lasso <- lapply(lambdas, function(l) {
  g <- glmnet(m, y, family = "binomial", lambda = l, standardize = TRUE, thresh = 1e-14)
  list(penalty = l, intercept = unname(g$a0), slopes = unname(as.numeric(g$beta)))
})
largest <- glmnet(m, y, family = "binomial")$lambda[1]
risk <- round(plogis(-0.6 + 0.9 * x$a + rnorm(n, 0, 0.6)), 4)
lp <- qlogis(risk)
r <- roc(y, risk, levels = c(0, 1), direction = "<", quiet = TRUE)
large <- glm(y ~ 1 + offset(lp), family = binomial, control = glm.control(epsilon = 1e-14))
slope <- glm(y ~ lp, family = binomial, control = glm.control(epsilon = 1e-14))
knots <- quantile(lp, c(0.1, 0.5, 0.9))
curve <- glm(y ~ rcs(lp, knots), family = binomial, control = glm.control(epsilon = 1e-14))
at <- quantile(lp, c(0.01, 0.99))
grid <- seq(at[1], at[2], length.out = 60)[c(1, 20, 40, 60)]
p <- predict(curve, data.frame(lp = grid), se.fit = TRUE)
nb <- function(t) mean(risk >= t & y == 1) - mean(risk >= t & y == 0) * t / (1 - t)
dd <- data.frame(y = y, x)
v <- validate(lrm(y ~ a + b + c + d + e, data = dd, x = TRUE, y = TRUE), B = 4000)
cat(toJSON(list(
  rows = cbind(x, y = y, risk = risk),
  lasso = lasso, largest = largest,
  auc = list(value = as.numeric(auc(r)), se = sqrt(var(r))),
  brier = mean((y - risk)^2),
  large = list(value = unname(coef(large)), se = sqrt(vcov(large)[1, 1])),
  slope = list(value = unname(coef(slope)[2]), se = sqrt(vcov(slope)[2, 2])),
  curve = list(line = unname(p$fit), se = unname(p$se.fit)),
  net_benefit = list(thresholds = c(0.2, 0.35, 0.5), values = sapply(c(0.2, 0.35, 0.5), nb)),
  validate = list(dxy = unname(v["Dxy", c("index.orig", "training", "test", "optimism", "index.corrected")]),
                  brier = unname(v["B", c("index.orig", "training", "test", "optimism", "index.corrected")]),
                  intercept = unname(v["Intercept", c("index.orig", "training", "test", "optimism", "index.corrected")]),
                  slope = unname(v["Slope", c("index.orig", "training", "test", "optimism", "index.corrected")]))
), digits = 12, auto_unbox = TRUE))
