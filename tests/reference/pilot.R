# Reference numbers for a two-arm trial: Rscript pilot.R > pilot.json
# R 4.2, pROC, sandwich. The rows stand in this script, so that the test reads the same ones.
library(jsonlite)
suppressMessages({library(pROC); library(sandwich)})
set.seed(7)
n <- 120
arm <- rep(0:1, c(70, 50))
before <- round(exp(rnorm(n, 5, 0.5)), 1)
amount <- round(0.7 * before + 12 * arm + rnorm(n, 30, 40), 1)
share <- rbinom(n, 1, 0.3 + 0.15 * arm)
rating <- pmin(5, pmax(1, round(rnorm(n, 3.2 + 0.4 * arm, 1))))
count <- rnbinom(n, size = 2, mu = 1.8 - 0.6 * arm)
stratum <- rep(1:3, length.out = n)
tt <- t.test(amount[arm == 1], amount[arm == 0])
pt <- suppressWarnings(prop.test(c(sum(share[arm == 1]), sum(share[arm == 0])), c(50, 70), correct = FALSE))
wt <- suppressWarnings(wilcox.test(rating[arm == 1], rating[arm == 0], correct = TRUE, exact = FALSE))
au <- roc(arm, rating, levels = c(0, 1), direction = "<", quiet = TRUE)
g <- glm(count ~ arm, family = poisson)
rob <- sqrt(vcovHC(g, type = "HC0")[2, 2])
anc <- lm(amount ~ arm + before)
strata <- sapply(1:3, function(s) {
  a <- amount[stratum == s & arm == 1]; b <- amount[stratum == s & arm == 0]
  c(mean(a) - mean(b), var(a) / length(a) + var(b) / length(b), sum(stratum == s))
})
w <- strata[3, ] / n
q <- sum((strata[1, ] - weighted.mean(strata[1, ], 1 / strata[2, ]))^2 / strata[2, ])
cat(toJSON(list(
  rows = data.frame(arm, before, amount, share, rating, count, stratum),
  amount = list(estimate = unname(tt$estimate[1] - tt$estimate[2]), low = tt$conf.int[1], high = tt$conf.int[2], p = tt$p.value),
  share_p = pt$p.value,
  rating = list(auc = as.numeric(auc(au)), se = sqrt(var(au)), p = wt$p.value),
  count = list(ratio = unname(exp(coef(g)[2])), se_log = rob),
  ancova = list(effect = unname(coef(anc)[2]), slope = unname(coef(anc)[3])),
  strata = list(effect = sum(w * strata[1, ]), se = sqrt(sum(w^2 * strata[2, ])), q_p = pchisq(q, 2, lower.tail = FALSE)),
  allocation = { x <- chisq.test(table(arm)); list(chisq = unname(x$statistic), p = x$p.value) }
), digits = 12, auto_unbox = TRUE))
