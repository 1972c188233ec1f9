# Random intercepts by lme4 and lmerTest: balanced, unbalanced with a predictor of the group, and a
#   Rscript tests/reference/mixed.R   -> mixed.json
# variance of zero; from regression_rows.csv.
suppressPackageStartupMessages({ library(lmerTest); library(jsonlite) })
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1]))
d <- read.csv(file.path(here, "regression_rows.csv"))
d$even <- rep(1:24, each = 10)
d$odd <- floor(sqrt(0:(nrow(d) - 1)))
d$y <- d$sat + sin(d$odd * 2.4) * .6 + 1000
d$place <- cos(d$odd)
d$y24 <- d$sat + sin(d$even * 2.4) * .5
d$cross <- (0:(nrow(d) - 1)) %% 8
fine <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-12, xtol_rel = 1e-12, ftol_abs = 1e-14, ftol_rel = 1e-15))
one <- function(y, x, g) {
  d$Y <- d[[y]]; d$G <- d[[g]]
  rhs <- paste(x, collapse = " + ")
  f <- lmer(as.formula(paste("Y ~", rhs, "+ (1 | G)")), d, control = fine)
  e <- lmer(Y ~ 1 + (1 | G), d, control = fine)
  v0 <- as.data.frame(VarCorr(e))$vcov
  s <- coef(summary(f))
  list(b = unname(s[, 1]), se = unname(s[, 2]), df = unname(s[, 3]), p = unname(s[, 5]),
       variances = as.data.frame(VarCorr(f))$vcov, icc = v0[1] / sum(v0),
       lr = max(0, 2 * as.numeric(logLik(refitML(f)) - logLik(lm(as.formula(paste("Y ~", rhs)), d)))))
}
out <- list(made_by = paste(R.version.string, "lmerTest", packageVersion("lmerTest")),
            even = one("y24", c("fair", "speed"), "even"),
            odd = one("y", c("fair", "place"), "odd"),
            none = one("sat", c("fair", "speed"), "cross"))
writeLines(toJSON(out, auto_unbox = TRUE, digits = NA), file.path(here, "mixed.json"))
