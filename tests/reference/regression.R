# Regression references of base R (and psych for the interval of d).
#   Rscript tests/reference/regression.R   -> regression.json, from regression_rows.csv
suppressMessages({library(jsonlite); library(psych); library(splines)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1]))
d <- read.csv(file.path(here, "regression_rows.csv")); d$failure <- factor(d$failure)

hc3 <- function(m) {                                  # MacKinnon & White's HC3 by its definition
  X <- model.matrix(m); e <- residuals(m) / (1 - hatvalues(m)); B <- solve(crossprod(X))
  B %*% crossprod(X * e) %*% B
}
vif <- function(m) {                                  # Fox & Monette's GVIF^(1/df), for every column of a term
  X <- model.matrix(m); a <- attr(X, "assign")[-1]; R <- cor(X[, -1, drop = FALSE]); d_ <- function(i) det(R[i, i, drop = FALSE])
  sapply(a, function(t) (d_(a == t) * d_(a != t) / det(R))^(1 / sum(a == t)))
}
degrees <- function(m) {                              # Bell and McCaffrey's, by the eigenvalues of the product of n by n
  X <- model.matrix(m); B <- solve(crossprod(X)); H <- X %*% B %*% t(X); M <- diag(nrow(X)) - H
  sapply(seq_len(ncol(X)), function(j) { l <- eigen(crossprod(M %*% diag(drop(B[j, ] %*% t(X)) / (1 - diag(H)))), TRUE, TRUE)$values; sum(l)^2 / sum(l^2) })
}
robust_block <- function(m, names) {
  b <- coef(m)[names]; V <- hc3(m)[names, names, drop = FALSE]
  f <- drop(b %*% solve(V) %*% b) / length(b); pf(f, length(b), m$df.residual, lower.tail = FALSE)
}
m1 <- lm(sat ~ age + failure, d); m2 <- update(m1, . ~ . + fair + speed); m3 <- update(m2, . ~ . + hours)
steps <- lapply(list(m1, m2, m3), function(m) { s <- summary(m); V <- hc3(m)
  list(r2 = s$r.squared, adj_r2 = s$adj.r.squared, aic = AIC(m), b = unname(coef(m)), se = unname(sqrt(diag(V))), vif = unname(vif(m)),
    df = degrees(m), p = unname(2 * pt(-abs(coef(m) / sqrt(diag(V))), degrees(m))),
    beta = unname(coef(m)[-1] * apply(model.matrix(m)[, -1], 2, sd) / sd(d$sat))) })
a <- anova(m1, m2, m3)
bp <- function(m) { e2 <- residuals(m)^2; X <- model.matrix(m); s <- summary(lm(e2 ~ X - 1)); f <- fitted(lm(e2 ~ X - 1))
  lm_ <- length(e2) * sum((f - mean(e2))^2) / sum((e2 - mean(e2))^2); pchisq(lm_, ncol(X) - 1, lower.tail = FALSE) }
hier <- list(steps = steps, f = a$F[-1], p = a$`Pr(>F)`[-1], p_robust = c(robust_block(m2, c("fair", "speed")), robust_block(m3, "hours")),
  cooks_max = max(cooks.distance(m3)), influential = mean(cooks.distance(m3) > 4 / nrow(d)), breusch_pagan_p = bp(m3),
  press = sqrt(mean((residuals(m3) / (1 - hatvalues(m3)))^2)))

groups <- split(d$sat, d$failure); x <- groups$delay; y <- groups$error
welch <- t.test(x, y); ow <- oneway.test(sat ~ failure, d); ao <- summary(aov(sat ~ failure, d))[[1]]
pooled <- sqrt(((length(x) - 1) * var(x) + (length(y) - 1) * var(y)) / (length(x) + length(y) - 2))
dd <- (mean(x) - mean(y)) / pooled; df <- length(x) + length(y) - 2; J <- exp(lgamma(df / 2) - lgamma((df - 1) / 2)) / sqrt(df / 2)
ci <- psych::cohen.d.ci(dd, n1 = length(x), n2 = length(y))      # noncentral t, of d without the correction J
tt <- dd / sqrt(1 / length(x) + 1 / length(y))
nc <- sapply(c(.975, .025), function(q) uniroot(function(l) pt(tt, df, l) - q, c(-30, 30), tol = 1e-12)$root) * sqrt(1 / length(x) + 1 / length(y))
F <- ao$`F value`[1]; N <- nrow(d); msw <- ao$`Mean Sq`[2]
lam <- sapply(c(.975, .025), function(q) uniroot(function(l) pf(F, ao$Df[1], ao$Df[2], l) - q, c(0, 500), tol = 1e-12)$root)
comparison <- list(t = unname(welch$statistic), df = unname(welch$parameter), p = welch$p.value, ci = as.numeric(welch$conf.int),
  g = dd * J, g_ci = nc * J, d_psych = as.numeric(ci), welch_f = unname(ow$statistic), welch_df = as.numeric(ow$parameter), welch_p = ow$p.value,
  omega = (ao$`Sum Sq`[1] - ao$Df[1] * msw) / (sum(ao$`Sum Sq`) + msw), omega_ci = lam / (lam + N),
  holm = p.adjust(c(t.test(groups$delay, groups$error)$p.value, t.test(groups$delay, groups$payment)$p.value, t.test(groups$error, groups$payment)$p.value), "holm"))

pt_ <- t.test(d$sat, d$before, paired = TRUE); V <- cov(cbind(d$before, d$sat)) / N; g <- c(-1 / mean(d$before), 1 / mean(d$sat))
lr <- log(mean(d$sat) / mean(d$before)); se <- sqrt(drop(g %*% V %*% g))
paired <- list(change = unname(pt_$estimate), ci = as.numeric(pt_$conf.int), t = unname(pt_$statistic), p = pt_$p.value,
  ratio = exp(lr), ratio_ci = exp(lr + c(-1, 1) * qt(.975, N - 1) * se))

k <- unname(quantile(d$hours, c(.05, .35, .65, .95)))
l1 <- lm(sat ~ hours, d); l2 <- lm(sat ~ log2(hours), d); l3 <- lm(sat ~ ns(hours, knots = k[2:3], Boundary.knots = k[c(1, 4)]), d)
dose <- list(aic = c(AIC(l1), AIC(l2), AIC(l3)), r2 = sapply(list(l1, l2, l3), function(m) summary(m)$r.squared), slope = unname(coef(l2)[2]),
  slope_se = unname(sqrt(hc3(l2)[2, 2])), f = anova(l1, l3)$F[2], p = anova(l1, l3)$`Pr(>F)`[2],
  fitted = unname(predict(l3, data.frame(hours = c(5, 20, 60)))))

x <- d$hours - mean(d$hours); w <- d$speed - mean(d$speed); age <- d$age - mean(d$age)
mm <- lm(sat ~ x * w + age, d); V <- hc3(mm); i <- c("x", "x:w"); b <- coef(mm)[i]; V <- V[i, i]; q <- qt(.975, mm$df.residual)
at <- c(-1, 0, 1) * sd(d$speed); slope <- b[1] + b[2] * at; sse <- sqrt(V[1, 1] + 2 * at * V[1, 2] + at^2 * V[2, 2])
jn <- function(z) (b[1] + b[2] * z)^2 - q^2 * (V[1, 1] + 2 * z * V[1, 2] + z^2 * V[2, 2])
z <- seq(min(w), max(w), length.out = 4001); change <- which(diff(sign(jn(z))) != 0)
roots <- sapply(change, function(j) uniroot(jn, z[c(j, j + 1)], tol = 1e-12)$root)
mod <- list(product = unname(b[2]), product_se = unname(sqrt(V[2, 2])), delta_r2 = summary(mm)$r.squared - summary(lm(sat ~ x + w + age, d))$r.squared,
  slopes = unname(slope), se = unname(sse), roots = as.numeric(unlist(roots)) + mean(d$speed))

free <- lm(sat ~ fair + speed, d); fixed <- lm(sat ~ offset(.8 * fair + .6 * speed), d)
count <- round(d$hours / 10); c1 <- glm(count ~ fair, poisson, d); c2 <- glm(count ~ fair + speed + I(fair^2), poisson, d)
forms <- list(f = anova(fixed, free)$F[2], p = anova(fixed, free)$`Pr(>F)`[2], aic = c(AIC(fixed), AIC(free)),
  lr = anova(c1, c2)$Deviance[2], count_aic = c(AIC(c1), AIC(c2)), count_b = unname(coef(c2)), dispersion = summary(glm(formula(c2), quasipoisson, d))$dispersion,
  scaled_f = anova(update(c1, family = quasipoisson), update(c2, family = quasipoisson), test = "F")$F[2],
  scaled_p = anova(update(c1, family = quasipoisson), update(c2, family = quasipoisson), test = "F")$`Pr(>F)`[2])
writeLines(toJSON(list(made_by = R.version.string, hierarchical = hier, comparison = comparison, paired = paired, dose = dose, moderation = mod, formulas = forms),
  auto_unbox = TRUE, digits = NA), file.path(here, "regression.json"))
