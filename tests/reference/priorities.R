# Reference numbers for priorities and scenarios: Rscript priorities.R > priorities.json
# R 4.2, base R alone. The rows stand in this script, so that the test reads the same ones.
library(jsonlite)
set.seed(11)
plain <- matrix(round(rnorm(5 * 8), 3), 5, 8)          # methods by levers, no ties
tied <- matrix(sample(1:4, 6 * 7, replace = TRUE), 6, 7)
w <- function(m) unname(friedman.test(m)$statistic) / (nrow(m) * (ncol(m) - 1))
scores <- matrix(round(3 * runif(40 * 3, 1, 7)) / 3, 40, 3)
steps <- c(1, 0.5, 2); top <- 7; slope <- c(0.2, 0.1, 0.05); cost <- c(4, 12, 2)
rise <- sapply(1:3, function(k) mean(pmin(steps[k], pmax(top - scores[, k], 0))))
# Relative weights of three columns on the last by Johnson's formula, in one resample of the rows.
picked <- sample(40, replace = TRUE)
r <- cor(scores[picked, ])
e <- eigen(r[1:2, 1:2])
lambda <- e$vectors %*% diag(sqrt(e$values)) %*% t(e$vectors)
weights <- lambda^2 %*% solve(lambda, r[1:2, 3])^2
cat(toJSON(list(
  plain = plain, w_plain = w(plain), tied = tied, w_tied = w(tied),
  scores = scores, steps = steps, slope = slope, cost = cost,
  rise = rise, net = 60 * sum(slope * rise) - sum(cost * steps),
  counts = tabulate(picked, 40), weights = as.vector(weights)
), digits = 15, auto_unbox = TRUE, pretty = FALSE))
