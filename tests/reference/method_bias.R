# Method bias: CFA marker technique, latent method factor, marker-corrected correlations.
#   Rscript tests/reference/method_bias.R      -> method_bias.json from psych_items.csv (SIMULATED)
# A and B are the constructs, C plays the marker. Every model is written out by hand.
suppressMessages({library(lavaan); library(psych); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1]))
x <- na.omit(read.csv(file.path(here, "psych_items.csv"))[c(paste0("A", 1:4), paste0("B", 1:4), paste0("C", 1:3))])
run <- function(text, std.lv = TRUE) { for (tol in c(1e-12, 1e-11, 1e-10, 1e-9)) { f <- suppressWarnings(sem(text, x, std.lv = std.lv, control = list(rel.tol = tol, iter.max = 5000))); if (lavInspect(f, "converged")) return(f) }; cat("not converged:", text, "\n"); f }
measures <- function(f) as.list(unname(fitMeasures(f, c("chisq", "df", "cfi", "rmsea", "srmr"))))
share <- function(f, m) { s <- standardizedSolution(f); mean(s$est.std[s$op == "=~" & s$lhs == m & !grepl("^C", s$rhs)]^2) }

blocks <- "A =~ A1 + A2 + A3 + A4\nB =~ B1 + B2 + B3 + B4\n"
cfa_f <- run(paste0(blocks, "C =~ C1 + C2 + C3"))
pe <- parameterEstimates(cfa_f)
load <- pe$est[pe$op == "=~" & pe$lhs == "C"]
res <- sapply(paste0("C", 1:3), function(i) pe$est[pe$op == "~~" & pe$lhs == i & pe$rhs == i])
f12 <- function(v) formatC(v, digits = 12, format = "g")
fixed <- paste0("C =~ ", paste0(f12(load), "*C", 1:3, collapse = " + "), "\n",
  paste0("C", 1:3, " ~~ ", f12(res), "*C", 1:3, collapse = "\n"), "\n")
items <- c(paste0("A", 1:4), paste0("B", 1:4))
apart <- "C ~~ 0*A\nC ~~ 0*B\n"
baseline <- run(paste0(blocks, fixed, apart))
equal <- paste0("C =~ ", paste0("m*", items, collapse = " + "), "\n")
free <- paste0("C =~ ", paste0(items, collapse = " + "), "\n")
c_f <- run(paste0(blocks, fixed, apart, equal)); u_f <- run(paste0(blocks, fixed, apart, free))
phi <- parameterEstimates(baseline); phi <- phi$est[phi$lhs == "A" & phi$rhs == "B"]
held <- paste0("A ~~ ", f12(phi), "*B\n")
unequal <- anova(u_f, c_f)[2, "Pr(>Chisq)"] < 0.05
r_f <- run(paste0(blocks, fixed, apart, if (unequal) free else equal, held))

# phase II and III, from both Method-C and Method-U: reliability of A and B, then loadings held at the ends of their intervals
std <- function(f, op, lhs, rhs) { s <- standardizedSolution(f); s$est.std[s$op == op & s$lhs == lhs & s$rhs %in% rhs] }
errors <- function(f, i) sum(sapply(i, function(k) std(f, "~~", k, k)))
parts <- function(f, l) { i <- paste0(l, 1:4); own <- sum(std(f, "=~", l, i))^2; way <- sum(std(f, "=~", "C", i))^2; all <- own + way + errors(f, i)
  b <- sum(std(baseline, "=~", l, i))^2; total <- b / (b + errors(baseline, i)); c(total = total, substantive = own / all, method = way / all, share = way / all / total) }
stronger <- function(f, level) { p <- parameterEstimates(f, level = level); p <- p[p$op == "=~" & p$lhs == "C" & p$rhs %in% items, ]
  end <- ifelse(p$est >= 0, p$ci.upper, p$ci.lower)
  g <- run(paste0(blocks, fixed, apart, "C =~ ", paste0(f12(end), "*", p$rhs, collapse = " + "), "\n")); q <- parameterEstimates(g); q <- q[q$op == "~~" & q$lhs == "A" & q$rhs == "B", ]
  list(held = as.list(setNames(end, p$rhs)), r = q$est, p = q$pvalue, measures = measures(g), admissible = suppressWarnings(lavInspect(g, "post.check"))) }
later <- function(f) list(parts = list(A = as.list(parts(f, "A")), B = as.list(parts(f, "B"))), method_s05 = stronger(f, .95), method_s01 = stronger(f, .99))
q <- standardizedSolution(baseline); q <- q[q$op == "~~" & q$lhs == "A" & q$rhs == "B", ]
phases <- list(baseline = list(r = q$est.std, low = q$ci.lower, high = q$ci.upper), method_c = later(c_f), method_u = later(u_f))

# structural: B on A; method factor through the marker, or without one
path <- function(f) { s <- standardizedSolution(f); s <- s[s$op == "~", ]; list(est = s$est.std, low = s$ci.lower, high = s$ci.upper) }
base_s <- run(paste0(blocks, "B ~ A"), FALSE)
marker_s <- function(extra) run(paste0(blocks, "B ~ A\n", fixed, "C ~~ 1*C\nC ~~ 0*A\n", extra), FALSE)
me <- marker_s(equal); mf <- marker_s(free)
fe <- run(paste0(blocks, "B ~ A\nM =~ ", paste0("1*", items, collapse = " + "), "\nM ~~ M\nM ~~ 0*A\n"), FALSE)

# corrected correlations of scale means
s <- data.frame(A = rowMeans(x[1:4]), B = rowMeans(x[5:8]), C = rowMeans(x[9:11])); R <- cor(s)
rm <- min(abs(R["C", c("A", "B")]))
v <- diag(3); v[1, 2] <- v[2, 1] <- R["A", "B"]; v[1:2, 3] <- v[3, 1:2] <- sqrt(rm)
partial <- partial.r(v, 1:2, 3)[1, 2]; n <- nrow(x)
test <- corr.p(matrix(c(1, partial, partial, 1), 2), n - 1)          # psych: df = n - 2 of its own n
z <- atanh(rm) + qnorm(.975) / sqrt(n - 3)

out <- list(made_by = list(R = R.version.string, lavaan = as.character(packageVersion("lavaan")), psych = as.character(packageVersion("psych"))),
  n = n, steps = list(cfa = measures(cfa_f), baseline = measures(baseline), method_c = measures(c_f), method_u = measures(u_f), method_r = measures(r_f)),
  share = list(method_c = share(c_f, "C"), method_u = share(u_f, "C")), unequal = unequal, phases = phases,
  differences = list(anova(c_f, baseline)[2, "Chisq diff"], anova(u_f, c_f)[2, "Chisq diff"]),
  paths = list(base = path(base_s), marker_equal = path(me), marker_free = path(mf), factor_equal = path(fe)),
  factor_equal = list(measures = measures(fe), variance = parameterEstimates(fe)$est[parameterEstimates(fe)$lhs == "M" & parameterEstimates(fe)$op == "~~" & parameterEstimates(fe)$rhs == "M"]),
  lindell_whitney = list(r = R["A", "B"], r_marker = rm, r_marker_high = tanh(z), adjusted = partial, p = test$p[1, 2]))
writeLines(toJSON(out, auto_unbox = TRUE, digits = NA), file.path(here, "method_bias.json"))
