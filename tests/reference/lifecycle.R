# Reference for helpers.service.lifecycle and lifecycle_models: Rscript lifecycle.R > lifecycle.json
suppressPackageStartupMessages({
  library(jsonlite); library(survey); library(MASS); library(sandwich); library(pscl); library(statmod)
})
set.seed(75)
n <- 240
g <- rep(0:1, c(90, 150))
x <- round(rnorm(n), 3)
w <- round(exp(0.4 * rnorm(n)), 3)
before <- rnbinom(n, mu = exp(1 + 0.3 * x), size = 2)
after <- rnbinom(n, mu = exp(0.7 + 0.3 * x + 0.35 * g), size = 1.5)
amount <- ifelse(after > 0, round(after * exp(4 + 0.2 * x + 0.1 * g + 0.5 * rnorm(n)), 2), 0)
rows <- data.frame(before, after, amount, g, x, w)

design <- svydesign(ids = ~1, weights = ~w, data = rows)
weighted <- svyratio(~after, ~before, design)
plain <- svyratio(~after, ~before, svydesign(ids = ~1, weights = ~1, data = cbind(rows, one = 1)))
ratio <- function(r) list(ratio = as.numeric(coef(r)), se_log = as.numeric(SE(r) / coef(r)))

nb <- glm.nb(after ~ g + x, data = rows, control = glm.control(epsilon = 1e-12, maxit = 200))
given <- glm(after ~ g + x, data = rows, weights = w / mean(w), family = negative.binomial(nb$theta),
             control = glm.control(epsilon = 1e-14, maxit = 200))
po <- glm(after ~ g + x, data = rows, family = poisson)
hu <- hurdle(after ~ g + x, data = rows, dist = "negbin", zero.dist = "binomial",
             control = hurdle.control(reltol = 1e-14, maxit = 1e5))

part <- function(formula, data, family) {
  data$wt <- data$w / mean(rows$w)
  fit <- suppressWarnings(glm(formula, data = data, weights = wt, family = family,
                              control = glm.control(epsilon = 1e-14, maxit = 200)))
  list(b = unname(coef(fit)), se = unname(sqrt(diag(sandwich(fit)))))
}
out <- list(
  rows = rows,
  ratio = list(plain = ratio(plain), weighted = ratio(weighted)),
  count = list(
    dispersion = 1 / nb$theta, b = unname(coef(given)), se = unname(sqrt(diag(sandwich(given)))),
    loglik = list(poisson = as.numeric(logLik(po)), negative_binomial = as.numeric(logLik(nb)),
                  hurdle = as.numeric(logLik(hu)))
  ),
  amount = list(
    any = part(as.numeric(amount > 0) ~ g + x, rows, binomial),
    size = part(amount ~ g + x, rows[rows$amount > 0, ], Gamma(link = "log")),
    whole = part(amount ~ g + x, rows, tweedie(var.power = 1.5, link.power = 0))
  )
)
cat(toJSON(out, digits = I(14), auto_unbox = TRUE, dataframe = "columns"))
