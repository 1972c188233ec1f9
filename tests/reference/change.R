# Change of the same people, contrasts, weights against attrition, influence, break: references of base R.
#   Rscript tests/reference/change.R   -> change.json, from regression_rows.csv
suppressMessages({library(jsonlite); library(sandwich)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1]))
d <- read.csv(file.path(here, "regression_rows.csv")); n <- nrow(d)
x <- d$before; y <- d$sat; g <- y - x; t <- mean(g) / (sd(g) / sqrt(n))
nct <- sapply(c(.975, .025), function(q) uniroot(function(l) pt(t, n - 1, l) - q, c(-30, 30), tol = 1e-13)$root) / sqrt(n)
s <- sqrt((var(x) + var(y)) / 2); dav <- mean(g) / s                         # Bonett (2008), two dependent measurements
v <- dav^2 * (var(x)^2 + var(y)^2 + 2 * cor(x, y)^2 * var(x) * var(y)) / (8 * (n - 1) * s^4) + var(g) / ((n - 1) * s^2)
b <- .2 * s
tost <- max(t.test(g, mu = -b, alternative = "greater")$p.value, t.test(g, mu = b, alternative = "less")$p.value)
effect <- list(dz = mean(g) / sd(g), dz_ci = nct, dav = dav, dav_ci = dav + c(-1, 1) * qnorm(.975) * sqrt(v), bound = b, tost = tost)

d$late <- as.numeric(d$failure == "delay"); d$w <- 1 + (d$age > 40)
degrees <- function(m, name) {                        # Bell and McCaffrey's, by the eigenvalues of the product of n by n
  X <- model.matrix(m) * sqrt(if (is.null(weights(m))) 1 else weights(m)); B <- solve(crossprod(X)); H <- X %*% B %*% t(X)
  G <- (diag(nrow(X)) - H) %*% diag(drop(B[name, ] %*% t(X)) / (1 - diag(H))); l <- eigen(crossprod(G), TRUE, TRUE)$values; sum(l)^2 / sum(l^2)
}
two <- function(f, w = NULL) { d$.w <- if (is.null(w)) 1 else w; m <- lm(f, d, weights = .w); c(unname(coef(m)["late"]), sqrt(vcovHC(m, "HC3")["late", "late"]), degrees(m, "late")) }
change <- list(change = two(I(sat - before) ~ late), ancova = two(sat ~ late + before), after = two(sat ~ late),
  weighted = two(sat ~ late + before, d$w), slope = unname(coef(lm(sat ~ late + before, d))["before"]))

m <- tapply(d$sat, d$failure, mean); u <- tapply(d$sat, d$failure, var) / table(d$failure); k <- table(d$failure) - 1
psi <- function(w) { e <- sum(w * m[names(w)]); q <- w^2 * u[names(w)]; df <- sum(q)^2 / sum(q^2 / k[names(w)]); c(e, sqrt(sum(q)), df, 2 * pt(-abs(e / sqrt(sum(q))), df)) }
contrasts <- list(one = psi(c(delay = 1, error = -1)), two = psi(c(delay = 1, error = -.5, payment = -.5)))
contrasts$holm <- p.adjust(c(contrasts$one[4], contrasts$two[4]), "holm")

d$came <- as.numeric(d$speed + d$age / 20 > 4.5 + sin(1:n)); a <- glm(came ~ age + before, binomial, d, control = list(epsilon = 1e-14))
attrition <- list(came = d$came, odds = unname(exp(coef(a)[-1])), p = unname(coef(summary(a))[-1, 4]), weights = unname((mean(d$came) / fitted(a))[d$came == 1]))

l <- lm(sat ~ fair + speed + age, d)
inf <- list(cooks = unname(cooks.distance(l)), leverage = unname(hatvalues(l)), rstudent = unname(rstudent(l)), dfbetas = unname(dfbetas(l)[, -1]))
broken <- function(y) {                               # the outcome as it is, and bent where the data say where
  d$y <- y; p <- seq(quantile(d$hours, .1), quantile(d$hours, .9), length.out = 41); rss <- sapply(p, function(c) sum(residuals(lm(y ~ hours + pmax(hours - c, 0), d))^2))
  past <- function(c) n * log(sum(residuals(lm(y ~ hours + pmax(hours - c, 0), d))^2) / min(rss)) - qchisq(.95, 1)
  end <- function(i, step) if (i + step < 1 || i + step > length(p)) p[i] else uniroot(past, sort(p[c(i, i + step)]), tol = 1e-13)$root
  inside <- which(n * log(rss / min(rss)) <= qchisq(.95, 1)); best <- p[which.min(rss)]
  list(at = best, ci = c(end(min(inside), -1), end(max(inside), 1)), aic = AIC(lm(y ~ hours + pmax(hours - best, 0), d)) + 2)
}
brk <- list(plain = broken(d$sat), bent = broken(d$sat - .15 * pmin(d$hours, 25)))
writeLines(toJSON(list(made_by = R.version.string, effect = effect, change = change, contrasts = contrasts, attrition = attrition, influence = inf, break_ = brk), auto_unbox = TRUE, digits = NA), file.path(here, "change.json"))
