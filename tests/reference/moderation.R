# Moderation: product indicators, path models behind PROCESS, phantom variables.
#   Rscript tests/reference/moderation.R  -> moderation.json
# lavaan's default stop is loose. A stop so late that nlminb says it can do no better ("false
# convergence") is accepted.
suppressMessages({library(lavaan); library(semTools); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1]))
d <- read.csv(gzfile(file.path(here, "sem_survey.csv.gz")))
tight <- list(rel.tol = 1e-15, x.tol = 1e-13, abs.tol = 0, iter.max = 20000, eval.max = 40000)
fit <- function(model, data, ...) suppressWarnings(
  sem(model, data, control = tight, optim.force.converged = TRUE, optim.attempts = 1, ...))
rows <- function(f) {
  p <- parameterEstimates(f, remove.nonfree = FALSE)
  s <- standardizedSolution(f)
  p <- merge(p[, c("lhs", "op", "rhs", "est", "se")], s[, c("lhs", "op", "rhs", "est.std")], sort = FALSE)
  p[p$op %in% c("=~", "~", ":="), ]
}
measures <- function(f, names) as.list(fitMeasures(f, names))
out <- list(versions = list(R = as.character(getRversion()), lavaan = as.character(packageVersion("lavaan")),
                            semTools = as.character(packageVersion("semTools"))))

# ---- double-mean-centred products: loyalty on competence, satisfaction and their product --------
base <- "comp =~ c1 + c2 + c3 + c4\nsat =~ s1 + s2 + s3\nloy =~ l1 + l2 + l3\nloy ~ comp + sat"
first <- c("c1", "c2", "c3"); second <- c("s1", "s2", "s3")
for (kind in c("matched", "all")) {
  one <- if (kind == "matched") first else c("c1", "c2", "c3", "c4")
  wide <- indProd(d, var1 = one, var2 = second, match = kind == "matched", meanC = TRUE, residualC = FALSE, doubleMC = TRUE)
  pairs <- if (kind == "matched") paste0(one, ".", second) else as.vector(outer(one, second, paste, sep = "."))
  text <- paste0(base, "\nprod =~ ", paste(sort(pairs), collapse = " + "), "\nloy ~ prod")
  if (kind == "all") {
    split <- strsplit(sort(pairs), ".", fixed = TRUE)
    for (i in seq_along(split)) for (j in seq_len(i - 1))
      if (any(split[[i]] == split[[j]])) text <- paste0(text, "\n", sort(pairs)[j], " ~~ ", sort(pairs)[i])
  }
  for (estimator in c("ML", "MLR")) {
    f <- fit(text, wide, estimator = estimator)
    out[[paste0("products_", kind, "_", estimator)]] <- list(
      rows = rows(f), fit = measures(f, c("chisq", "df", "logl")))
  }
  out[[paste0("indicators_", kind)]] <- lapply(wide[1:6, sort(pairs)], signif, digits = 12)
}

# ---- the path models behind PROCESS, on mean scores, centred as the Python side does -------------
s <- data.frame(x = rowMeans(d[, c("c1", "c2", "c3", "c4")]), m = rowMeans(d[, c("s1", "s2", "s3", "s4")]),
                y = rowMeans(d[, c("l1", "l2", "l3")]), w = d$age, n = d$s1 - d$s4 + 0.1 * d$age)
for (v in c("x", "m", "w")) s[[paste0(v, "c")]] <- s[[v]] - mean(s[[v]])
s$xw <- s$xc * s$wc; s$mw <- s$mc * s$wc
levels <- sprintf("%.15f", c(-1, 0, 1) * sd(s$w))
conditional <- function(a, b) paste(sprintf("ind%d := (%s)*(%s)", 1:3, sapply(levels, a), sapply(levels, b)), collapse = "\n")
plain <- function(name) function(w) name
moderated <- function(name) function(w) paste0(name, "1 + ", name, "3*(", w, ")")
models <- list(
  m1 = "y ~ xc + wc + xw",
  m4 = "m ~ a1*x\nn ~ a2*x\ny ~ c*x + b1*m + b2*n\nm ~~ n\ni1 := a1*b1\ni2 := a2*b2\ntotal := c + a1*b1 + a2*b2",
  m6 = "m ~ a1*x\nn ~ a2*x + d*m\ny ~ c*x + b1*m + b2*n\ni1 := a1*b1\ni2 := a2*b2\ni3 := a1*d*b2\ntotal := c + a1*b1 + a2*b2 + a1*d*b2",
  m7 = paste0("m ~ a1*xc + wc + a3*xw\ny ~ xc + b*m\n", conditional(moderated("a"), plain("b")), "\nindex := a3*b"),
  m8 = paste0("m ~ a1*xc + wc + a3*xw\ny ~ xc + wc + xw + b*m\n", conditional(moderated("a"), plain("b")), "\nindex := a3*b"),
  m14 = paste0("mc ~ a*x\ny ~ x + b1*mc + wc + b3*mw\n", conditional(plain("a"), moderated("b")), "\nindex := a*b3"),
  m58 = paste0("mc ~ a1*xc + wc + a3*xw\ny ~ xc + b1*mc + wc + b3*mw\n", conditional(moderated("a"), moderated("b"))),
  m59 = paste0("mc ~ a1*xc + wc + a3*xw\ny ~ xc + wc + xw + b1*mc + b3*mw\n", conditional(moderated("a"), moderated("b"))))
for (name in names(models)) {
  # products are covariates as good as any: their moments are given (fixed.x), not modelled
  text <- models[[name]]
  f <- fit(text, s, fixed.x = TRUE)
  out[[paste0("process_", name)]] <- rows(f)
}

# ---- a phantom confounder of satisfaction and loyalty -------------------------------------------
chain <- "comp =~ c1 + c2 + c3 + c4\nsat =~ s1 + s2 + s3 + s4\nloy =~ l1 + l2 + l3\nsat ~ comp\nloy ~ sat + comp"
f0 <- fit(chain, d); v <- lavInspect(f0, "cov.lv")
for (u in c(0.2, 0.5)) for (o in c(0.2, 0.4)) {
  text <- paste0(chain, "\nU =~ 0*l1\nl1 ~~ l1\nU ~~ 1*U\nU ~~ 0*comp\nsat ~ ", u * sqrt(v["sat", "sat"]), "*U\nloy ~ ",
                 o * sqrt(v["loy", "loy"]), "*U")
  p <- parameterEstimates(fit(text, d))
  hit <- p[p$op == "~" & p$lhs == "loy" & p$rhs == "sat", ]
  a <- p[p$op == "~" & p$lhs == "sat" & p$rhs == "comp", ]
  out$phantom <- rbind(out$phantom, data.frame(to_cause = u, to_outcome = o, est = hit$est, se = hit$se, indirect = a$est * hit$est))
}
write(toJSON(out, auto_unbox = TRUE, digits = 12, dataframe = "rows"), file.path(here, "moderation.json"))
