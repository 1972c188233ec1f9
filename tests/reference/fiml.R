# Incomplete data: the saturated moments, the log-likelihood at given moments and its derivatives.
# Rscript fiml.R -> fiml_data.csv (planned holes, three empty rows), fiml.json.   lavaan 0.6-14.
# The saturated model is estimated as a lavaan model with its default stop tightened, and the
# derivatives are lavaan's own closed forms for missing data at moments that are not the optimum.
suppressMessages({library(lavaan); library(jsonlite)})
options(digits = 17)
set.seed(71)
n <- 140; p <- 5
L <- c(.8, .7, .6, .75, .5)
f <- rnorm(n)
X <- outer(f, L) + matrix(rnorm(n * p), n) %*% diag(sqrt(1 - L^2))
X <- sweep(sweep(X, 2, c(1, 2, .5, 10, 1), "*"), 2, c(0, 3, 1, -20, 100), "+")
X[matrix(runif(n * p), n) < .15] <- NA
X[f > .8, 2] <- NA                      # more holes where the factor is high
X[21:40, 1:3] <- NA                     # planned missingness: more missing than observed
X[77, ] <- NA                           # an empty row
X <- round(X, 4); colnames(X) <- paste0("x", 1:p)
write.csv(X, "fiml_data.csv", row.names = FALSE, na = "")
d <- as.data.frame(X)
model <- paste(c(outer(1:p, 1:p, function(i, j) ifelse(i <= j, sprintf("x%d ~~ x%d", i, j), ""))),
               collapse = "\n")
fit <- suppressWarnings(sem(model, d, missing = "fiml", meanstructure = TRUE, fixed.x = FALSE,
  se = "none", test = "none", em.h1.tol = 1e-13, em.h1.iter.max = 5000,
  control = list(rel.tol = 1e-15, iter.max = 5000)))
h1 <- lavTech(fit, "sampstat")[[1]]
Y <- X[rowSums(!is.na(X)) > 0, ]
mu <- colMeans(X, na.rm = TRUE) + c(.1, -.1, .05, .5, 0)
S <- diag(c(1.1, 4, .3, 90, 1)); for (i in 1:p) for (j in 1:p) if (i != j) S[i, j] <- .4 * sqrt(S[i, i] * S[j, j])
Mp <- lavaan:::lav_data_missing_patterns(Y); Yp <- lavaan:::lav_samplestats_missing_patterns(Y, Mp)
sc <- lavaan:::lav_mvnorm_missing_scores_mu_vech_sigma(Y, Mp, Mu = mu, Sigma = S)
sc[is.na(sc)] <- 0                      # lavaan leaves NA where a row has no answer
out <- list(
  lavaan = as.character(packageVersion("lavaan")),
  saturated = list(mean = as.numeric(h1$mean), cov = unname(h1$cov), loglik = as.numeric(logLik(fit))),
  mu = as.numeric(mu), sigma = unname(S),
  loglik = lavaan:::lav_mvnorm_missing_loglik_samplestats(Yp = Yp, Mu = mu, Sigma = S),
  gradient = as.numeric(colSums(sc)), scores_first = unname(sc[c(1, 25, 137), ]),
  expected = unname(lavaan:::lav_mvnorm_missing_information_expected(Y, Mp, Mu = mu, Sigma = S)),
  observed = unname(lavaan:::lav_mvnorm_missing_information_observed_samplestats(Yp, Mu = mu, Sigma = S)))
writeLines(toJSON(out, digits = NA, auto_unbox = TRUE, matrix = "rowmajor"), "fiml.json")
