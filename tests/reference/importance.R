# Importance of predictors, ordered logit, mixed models, response surface, Vuong: references.
#   Rscript tests/reference/importance.R   -> importance.json, from regression_rows.csv and R's swiss
suppressMessages({library(jsonlite); library(MASS); library(ordinal); library(lme4)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1]))
d <- read.csv(file.path(here, "regression_rows.csv"))
hc <- function(m, type) { X <- model.matrix(m); h <- hatvalues(m); e <- residuals(m, "response")
  if (type == 3) e <- e / (1 - h); W <- if (inherits(m, "glm")) weights(m, "working") else rep(1, nrow(X))
  B <- solve(crossprod(X, W * X)); B %*% crossprod(X * e) %*% B }

# Johnson (2000), by the formula; general dominance by running all regressions one by one
johnson <- function(R) { k <- ncol(R) - 1; e <- eigen(R[1:k, 1:k]); L <- e$vectors %*% diag(sqrt(e$values)) %*% t(e$vectors)
  b <- solve(L, R[1:k, k + 1]); as.numeric(L^2 %*% b^2) }
r2 <- function(data, y, x) if (length(x) == 0) 0 else summary(lm(reformulate(x, y), data))$r.squared
gains <- function(data, y, x) lapply(x, function(p) { rest <- setdiff(x, p)
  sapply(0:length(rest), function(s) mean(sapply(if (s == 0) list(character()) else combn(rest, s, simplify = FALSE),
    function(S) r2(data, y, c(S, p)) - r2(data, y, S)))) })
x <- c("fair", "speed", "hours", "age")
sx <- names(swiss)[-1]
importance <- list(johnson = johnson(cor(d[c(x, "sat")])), r2 = r2(d, "sat", x), conditional = gains(d, "sat", x),
  swiss_cor = cor(swiss[c(sx, "Fertility")]), swiss_general = sapply(gains(swiss, "Fertility", sx), mean), swiss_johnson = johnson(cor(swiss[c(sx, "Fertility")])),
  swiss = swiss)

# ordered logit
d$grade <- cut(d$sat, c(-Inf, 2.5, 3.2, 3.9, Inf), labels = FALSE); o <- c("fair", "speed", "age")
p <- polr(factor(grade) ~ fair + speed + age, d, Hess = TRUE, control = list(reltol = 1e-14)); s <- coef(summary(p))
cl <- clm(factor(grade) ~ fair + speed + age, data = d, control = list(gradTol = 1e-10))
brant <- function(y, X) {                             # Brant (1990), formula written out
  cuts <- sort(unique(y)); cuts <- cuts[-length(cuts)]; D <- cbind(1, X); m <- length(cuts); k <- ncol(X)
  f <- lapply(cuts, function(c) glm.fit(D, as.numeric(y > c), family = binomial(), control = list(epsilon = 1e-14, maxit = 100)))
  P <- lapply(f, function(g) g$fitted.values); I <- lapply(P, function(q) solve(crossprod(D, D * (q * (1 - q)))))
  V <- matrix(0, m * k, m * k)
  for (j in 1:m) for (l in j:m) { B <- (I[[j]] %*% crossprod(D, D * (P[[l]] * (1 - P[[j]]))) %*% I[[l]])[-1, -1]
    V[(j - 1) * k + 1:k, (l - 1) * k + 1:k] <- B; V[(l - 1) * k + 1:k, (j - 1) * k + 1:k] <- t(B) }
  b <- unlist(lapply(f, function(g) g$coefficients[-1]))
  test <- function(cols) { A <- do.call(rbind, lapply(2:m, function(j) { R <- matrix(0, length(cols), m * k)
      R[cbind(seq_along(cols), cols)] <- 1; R[cbind(seq_along(cols), (j - 1) * k + cols)] <- -1; R }))
    w <- drop(t(A %*% b) %*% solve(A %*% V %*% t(A), A %*% b)); c(w, nrow(A), pchisq(w, nrow(A), lower.tail = FALSE)) }
  rbind(test(1:k), t(sapply(1:k, test))) }
ordered <- list(grade = d$grade, b = unname(cl$beta), se = unname(coef(summary(cl))[names(cl$beta), 2]), thresholds = unname(cl$alpha), loglik = as.numeric(logLik(cl)),
  polr_b = unname(coef(p)), polr_loglik = as.numeric(logLik(p)), polr_se = unname(s[1:3, 2]), brant = brant(d$grade, as.matrix(d[o])))

# random intercepts: 24 made groups of ten rows in the order of the file
d$g <- rep(1:24, each = 10); d$y <- d$sat + sin(d$g * 2.4) * .5
l <- lmer(y ~ fair + speed + (1 | g), d); l0 <- lmer(y ~ 1 + (1 | g), d); v <- as.data.frame(VarCorr(l))$vcov; v0 <- as.data.frame(VarCorr(l0))$vcov
ml <- lmer(y ~ fair + speed + (1 | g), d, REML = FALSE)
mixed <- list(b = unname(fixef(l)), se = unname(sqrt(diag(as.matrix(vcov(l))))), variances = v, icc = v0[1] / sum(v0),
  lr = as.numeric(2 * (logLik(ml) - logLik(lm(y ~ fair + speed, d)))))

# response surface, normal and count
q <- d; q$x <- d$fair - 3; q$z <- d$speed - 3; q$n <- round(d$hours / 10)
polynomial <- function(m, V) { b <- unname(coef(m)); w <- rbind(a1 = c(0, 1, 1, 0, 0, 0), a2 = c(0, 0, 0, 1, 1, 1), a3 = c(0, 1, -1, 0, 0, 0), a4 = c(0, 0, 0, 1, -1, 1), a5 = c(0, 0, 0, 1, 0, -1))
  e <- 4 * b[4] * b[6] - b[5]^2; x0 <- (b[3] * b[5] - 2 * b[2] * b[6]) / e; y0 <- (b[2] * b[5] - 2 * b[3] * b[4]) / e
  rt <- sqrt((b[4] - b[6])^2 + b[5]^2); p11 <- (b[6] - b[4] + rt) / b[5]; p21 <- (b[6] - b[4] - rt) / b[5]
  list(b = b, se = unname(sqrt(diag(V))), a = unname(drop(w %*% b)), a_se = unname(sqrt(diag(w %*% V %*% t(w)))), shape = c(x0, y0, y0 - p11 * x0, p11, y0 - p21 * x0, p21)) }
f <- sat ~ x + z + I(x^2) + I(x * z) + I(z^2); m <- lm(f, q); g <- glm(update(f, n ~ .), poisson, q, control = list(epsilon = 1e-14))
surface <- list(normal = c(polynomial(m, hc(m, 3)), f = anova(lm(sat ~ x + z, q), m)$F[2]), count = c(polynomial(g, hc(g, 0)), lr = anova(glm(n ~ x + z, poisson, q), g)$Deviance[2]))

ll <- function(m) dnorm(d$sat, fitted(m), sqrt(mean(residuals(m)^2)), log = TRUE)
one <- lm(sat ~ fair, d); two <- lm(sat ~ speed + age, d); k <- ll(one) - ll(two)
vuong <- list(z = (sum(k) - (2 - 3) * log(240) / 2) / (sqrt(240) * sqrt(mean((k - mean(k))^2))))
writeLines(toJSON(list(made_by = R.version.string, importance = importance, ordered = ordered, mixed = mixed, surface = surface, vuong = vuong), auto_unbox = TRUE, digits = NA, dataframe = "columns"), file.path(here, "importance.json"))
