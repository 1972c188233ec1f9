# Reliability, factor and validity references of psych, semTools and lavaan.
#   Rscript tests/reference/psych.R [folder with the real data sets]
# -> psych.json from psych_items.csv; with a folder also psych_real.json from bfi,
#    bank_satisfaction, ecsi_mobi and corp_reputation (numbers only, no data).
# GPArotation is not needed: oblimin is rotated by lavaan, promax by stats.
suppressMessages({library(psych); library(semTools); library(lavaan); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1]))

reliability_of <- function(x) {
  x <- na.omit(x); k <- ncol(x)
  a <- suppressWarnings(psych::alpha(x, warnings = FALSE))
  ci <- psych::alpha.ci(a$total$raw_alpha, nrow(x), k)
  out <- list(n = nrow(x), alpha = a$total$raw_alpha, std_alpha = a$total$std.alpha,
    ci_low = ci$lower.ci, ci_high = ci$upper.ci, average_r = a$total$average_r,
    item_rest = a$item.stats$r.drop, alpha_if_deleted = a$alpha.drop$raw_alpha)
  if (k > 2) {
    l <- paste0("l", 1:k); e <- paste0("e", 1:k)
    syntax <- paste0("f =~ ", paste0(l, "*", names(x), collapse = " + "), "\n",
      paste0(names(x), " ~~ ", e, "*", names(x), collapse = "\n"), "\n",
      "omega := (", paste(l, collapse = "+"), ")^2 / ((", paste(l, collapse = "+"), ")^2 + ", paste(e, collapse = "+"), ")")
    f <- cfa(syntax, x, std.lv = TRUE)
    p <- parameterEstimates(f); o <- p[p$lhs == "omega", ]
    s <- standardizedSolution(f); load <- s$est.std[s$op == "=~"]
    out <- c(out, list(omega = o$est, omega_se = o$se, omega_ci_low = o$ci.lower, omega_ci_high = o$ci.upper,
      std_loadings = load, cr = sum(load)^2 / (sum(load)^2 + sum(1 - load^2)), ave = mean(load^2)))
  }
  out
}

ordered_columns <- function(L) {                   # largest sum of squares first, sums positive
  L <- unclass(L); L <- L[, order(-colSums(L^2)), drop = FALSE]
  sweep(L, 2, sign(colSums(L)), "*")
}

factors_of <- function(x, m, vss_max = 8) {
  x <- na.omit(x); R <- cor(x); n <- nrow(x)
  k <- psych::KMO(R); b <- cortest.bartlett(R, n = n)
  ml <- fa(R, m, n.obs = n, fm = "ml", rotate = "none"); mr <- fa(R, m, n.obs = n, fm = "minres", rotate = "none")
  pa <- fa(R, m, n.obs = n, fm = "pa", rotate = "none", min.err = 1e-10, max.iter = 5000)
  fl <- factanal(covmat = R, n.obs = n, factors = m, rotation = "none", control = list(opt = list(factr = 1)))
  L <- unclass(fl$loadings); class(L) <- "matrix"
  vm <- varimax(L, eps = 1e-14); pm <- psych::Promax(vm$loadings, m = 4)
  ob <- lavaan:::lav_matrix_rotate(L, orthogonal = FALSE, method = "oblimin", rstarts = 0L, init.ROT = diag(m),
    order.lv.by = "none", gpa.tol = 1e-7, tol = 1e-8, max.iter = 2000L, row.weights = "none")
  V <- suppressWarnings(psych::vss(R, n = vss_max, rotate = "none", n.obs = n, plot = FALSE))
  pl <- function(smc) { z <- capture.output(f <- suppressWarnings(fa.parallel(R, n.obs = n, fa = "both", SMC = smc, plot = FALSE, n.iter = 5))); f }
  set.seed(1); P <- pl(TRUE)
  list(n = n, names = names(x), kmo = k$MSA, msa = unname(k$MSAi), bartlett = b$chisq, bartlett_df = b$df,
    ml = list(uniqueness = unname(fl$uniquenesses), statistic = unname(fl$STATISTIC), dof = unname(fl$dof),
      loadings = ordered_columns(L), psych_statistic = ml$STATISTIC),
    minres = list(communality = unname(mr$communality), loadings = ordered_columns(mr$loadings)),
    pa = list(communality = unname(pa$communality), loadings = ordered_columns(pa$loadings)),
    varimax = ordered_columns(vm$loadings), promax = unclass(pm$loadings), promax_phi = unname(pm$Phi),
    oblimin = unname(ob$LAMBDA), oblimin_phi = unname(ob$PHI),
    map = V$map, pc_values = P$pc.values, fa_smc_values = P$fa.values)
}

validity_of <- function(x, scales) {
  x <- na.omit(x[unlist(scales)])
  model <- paste(names(scales), "=~", sapply(scales, paste, collapse = " + "), collapse = "\n")
  h <- function(v) { m <- unclass(semTools::htmt(model, x, htmt2 = v)); list(names = colnames(m), lower = m[lower.tri(m)]) }
  list(n = nrow(x), htmt = h(FALSE), htmt2 = h(TRUE))
}

whole <- function(x, scales, m) list(scales = scales, n_factors = m, reliability = lapply(scales, function(s) reliability_of(x[s])),
  factors = factors_of(x[unlist(scales)], m), validity = validity_of(x, scales[lengths(scales) > 1]))
write <- function(value, file) writeLines(toJSON(value, auto_unbox = TRUE, digits = NA, matrix = "rowmajor"), file.path(here, file))
made_by <- list(R = R.version.string, psych = as.character(packageVersion("psych")),
  semTools = as.character(packageVersion("semTools")), lavaan = as.character(packageVersion("lavaan")))

x <- read.csv(file.path(here, "psych_items.csv"))
abc <- lapply(c(A = "A", B = "B", C = "C"), function(s) paste0(s, 1:4))
write(list(made_by = made_by, items = whole(x, abc, 3)), "psych.json")

root <- commandArgs(TRUE)
if (length(root)) {
  bfi <- read.csv(file.path(root, "bfi", "bfi.csv"))
  for (i in c("A1", "C4", "C5", "E1", "E2", "O2", "O5")) bfi[[i]] <- 7 - bfi[[i]]
  bank <- read.csv(file.path(root, "bank_satisfaction", "bank_satisfaction.csv"))
  mobi <- read.csv(file.path(root, "ecsi_mobi", "mobi.csv"))
  corp <- read.csv(file.path(root, "corp_reputation", "corp_rep_data.csv")); corp[corp == -99] <- NA
  blocks <- function(sizes, glue = "") setNames(lapply(names(sizes), function(s) paste0(s, glue, seq_len(sizes[[s]]))), names(sizes))
  write(list(made_by = made_by,
    bfi = whole(bfi, blocks(c(A = 5, C = 5, E = 5, N = 5, O = 5)), 5),
    bank_satisfaction = whole(bank, blocks(c(imag = 5, expe = 5, qual = 5, val = 4, sat = 4, loy = 4)), 4),
    ecsi_mobi = whole(mobi, blocks(c(CUEX = 3, CUSA = 3, CUSL = 3, IMAG = 5, PERQ = 7, PERV = 2)), 3),
    corp_reputation = whole(corp, blocks(c(csor = 5, attr = 3, perf = 5, qual = 8, like = 3, comp = 3, cusl = 3), "_"), 4)),
    "psych_real.json")
}
