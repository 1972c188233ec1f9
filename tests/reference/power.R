# Power, simulated populations, non-normal shapes, T-size.   Rscript tests/reference/power.R -> power.json
suppressMessages({library(lavaan); library(semTools); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1]))

# Tests of RMSEA: MacCallum, Browne & Sugawara (1996). `close` and `not_close` as in their tables.
grid <- expand.grid(df = c(5, 10, 20, 40, 100), n = c(100, 200, 300, 500))
rmsea <- list(
  df = grid$df, n = grid$n,
  close = mapply(function(d, n) findRMSEApower(.05, .08, d, n), grid$df, grid$n),
  not_close = mapply(function(d, n) findRMSEApower(.05, .01, d, n), grid$df, grid$n),
  two_groups = mapply(function(d, n) findRMSEApower(.05, .08, d, n, group = 2), grid$df, grid$n)
)
sizes <- list(
  df = c(2, 5, 10, 20, 35, 60, 100),
  close = sapply(c(2, 5, 10, 20, 35, 60, 100), function(d) findRMSEAsamplesize(.05, .08, d)),
  not_close = sapply(c(2, 5, 10, 20, 35, 60, 100), function(d) findRMSEAsamplesize(.05, .01, d))
)

# Populations from text: what simulateData would draw from.
truth <- function(model, ...) {
  set <- suppressWarnings(simulateData(model, return.fit = TRUE, ...))
  fitted <- attr(set, "fit")
  sigma <- lavInspect(fitted, "implied")
  if (!is.null(sigma$cov)) sigma <- list(sigma)
  list(model = model, names = colnames(sigma[[1]]$cov),
       cov = lapply(sigma, function(s) unclass(s$cov)),
       mean = lapply(sigma, function(s) if (is.null(s$mean)) NULL else as.numeric(s$mean)))
}
two <- "f =~ .8*x1 + .7*x2 + .6*x3\ng =~ .8*y1 + .7*y2 + .6*y3\ng ~ .3*f"
chain <- "x =~ .8*x1 + .8*x2 + .7*x3\nm =~ .8*m1 + .8*m2 + .7*m3\ny =~ .8*y1 + .8*y2 + .7*y3\nm ~ .4*x\ny ~ .4*m + .1*x"
# simulateData(standardized = TRUE) leaves the last variable of a chain with a variance above 1; by hand:
unit <- paste0(chain, "\nm ~~ .84*m\ny ~~ .798*y", paste0("\n", rep(c("x", "m", "y"), each = 3), 1:3, " ~~ ",
               rep(c(.36, .36, .51), 3), "*", rep(c("x", "m", "y"), each = 3), 1:3, collapse = ""))
raw <- "f =~ .8*x1 + .7*x2 + .9*x3 + .6*x4\nx1 ~~ .15*x2\nx1 ~~ .8*x1"
populations <- list(
  c(truth("f =~ .8*x1 + x2 + 1.2*x3\nf ~~ 1.5*f\nx1 ~~ .5*x1\ny ~ .4*f + .2*z"), standardized = FALSE),
  c(truth(two, standardized = TRUE), standardized = TRUE),
  modifyList(truth(unit), list(model = chain, standardized = TRUE)),
  c(truth(raw), standardized = FALSE),
  c(truth("f =~ c(.8, .6)*x1 + .7*x2 + .9*x3\nx1 ~ c(0, .4)*1\nf ~ c(0, .5)*1", meanstructure = TRUE,
          sample.nobs = c(100, 100)), standardized = FALSE)
)

# Chi-square difference (Satorra & Saris 1985) by SSpower: population text, model without the effect.
fixed <- list(
  list(pop = two, model = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\ng ~ 0*f", hypothesis = "g ~ f", nparam = 1),
  list(pop = chain, model = "x =~ x1 + x2 + x3\nm =~ m1 + m2 + m3\ny =~ y1 + y2 + y3\nm ~ x\ny ~ m + 0*x",
       hypothesis = "y ~ x", nparam = 1),
  list(pop = raw, model = "f =~ x1 + x2 + x3 + x4\nx1 ~~ 0*x2", hypothesis = "x2 ~~ x1", nparam = 1)
)
difference <- lapply(fixed, function(case) {
  moments <- if (case$pop == chain) truth(unit) else truth(case$pop, standardized = case$pop == two)
  n <- c(50, 100, 200, 400)
  power <- sapply(n, function(k) SSpower(powerModel = case$model, n = k, nparam = case$nparam,
                                         Sigma = moments$cov[[1]], mu = rep(0, nrow(moments$cov[[1]])), fun = "sem"))
  list(pop = case$pop, standardized = case$pop != raw, hypothesis = case$hypothesis, n = n, power = as.numeric(power))
})

# A metric step: noncentrality from two fits to the populations of two groups.
invariance <- "f =~ 1*x1 + c(.9, .6)*x2 + .8*x3 + .8*x4"
moments <- truth(invariance, sample.nobs = c(1000, 1000))
two_groups <- function(...) cfa("f =~ x1 + x2 + x3 + x4", sample.cov = moments$cov, sample.nobs = c(1000, 1000), ...)
step <- list(pop = invariance, n = 2000,
             ncp = unname(fitMeasures(two_groups(group.equal = "loadings"), "chisq") - fitMeasures(two_groups(), "chisq")))

# Fleishman's coefficients and intermediate correlations: lavaan's own inner functions.
inner <- body(lavaan:::ValeMaurelli1983)
place <- new.env()
for (k in 2:3) eval(inner[[k]], place)
shapes <- data.frame(skewness = c(0.75, 1.75, -1, 0, 0.25, 2), kurtosis = c(0, 3.75, 2, 4, -0.5, 7))
abcd <- t(mapply(place$fleishman1978_abcd, shapes$skewness, shapes$kurtosis))
pair <- function(i, j, r) place$getICOV(abcd[i, 2], abcd[i, 3], abcd[i, 4], abcd[j, 2], abcd[j, 3], abcd[j, 4], R = r)
pairs <- list(list(i = 1, j = 2, r = 0.5), list(i = 2, j = 3, r = 0.3), list(i = 4, j = 6, r = -0.4), list(i = 5, j = 5, r = 0.7))
pairs <- lapply(pairs, function(v) c(v, rho = pair(v$i, v$j, v$r)))

# T-size: noncentralities by inverting pchisq; the worked example of Yuan et al. (2016).
ncp <- function(x, df, p) if (pchisq(x, df) <= p) 0 else uniroot(function(v) pchisq(x, df, v) - p, c(0, 10 * x), tol = 1e-10)$root
t_size <- list(
  chisq = 28.098, df = 23, n = 145, p = 9, baseline = 502.279,
  delta = ncp(28.098, 23, .05), delta_half = ncp(28.098, 23, .025), delta_baseline = ncp(502.279, 36, .975)
)

out <- list(lavaan = as.character(packageVersion("lavaan")), semTools = as.character(packageVersion("semTools")),
            rmsea = rmsea, sizes = sizes, populations = populations, difference = difference, step = step,
            shapes = cbind(shapes, b = abcd[, 2], c = abcd[, 3], d = abcd[, 4]), pairs = pairs, t_size = t_size)
write(toJSON(out, digits = 15, auto_unbox = TRUE, null = "null"), file.path(here, "power.json"))
