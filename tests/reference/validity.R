# Convergent and discriminant validity from a CFA: loadings, CR, AVE, latent correlations with
# delta-method intervals, tests of a correlation of 1 and of merged factors.
#   Rscript tests/reference/validity.R [folder with the real data sets]  -> validity.json
suppressMessages({library(lavaan); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1]))
run <- function(text, x, ...) { for (tol in c(1e-12, 1e-11, 1e-10, 1e-9)) { f <- suppressWarnings(cfa(text, x, std.lv = TRUE, ...,
  control = list(rel.tol = tol, iter.max = 5000))); if (lavInspect(f, "converged")) return(f) }; f }
plain <- function(s) paste(names(s), "=~", sapply(s, paste, collapse = " + "), collapse = "\n")
labelled <- function(s) paste(sapply(names(s), function(k) {
  i <- s[[k]]; l <- paste0("l_", i); e <- paste0("e_", i); z <- paste0("(", l, "/sqrt(", l, "^2+", e, "))"); q <- paste0(z, "^2")
  paste0(k, " =~ ", paste0(l, "*", i, collapse = " + "), "\n", paste0(i, " ~~ ", e, "*", i, collapse = "\n"), "\n",
    "ave_", k, " := (", paste(q, collapse = "+"), ")/", length(i), "\n",
    "cr_", k, " := (", paste(z, collapse = "+"), ")^2/((", paste(z, collapse = "+"), ")^2+", length(i), "-(", paste(q, collapse = "+"), "))")
}), collapse = "\n")
case <- function(x, s, a, b, estimator = "ML") {
  x <- na.omit(x[unlist(s)])
  f <- run(labelled(s), x, estimator = estimator); p <- parameterEstimates(f); z <- standardizedSolution(f)
  d <- p[p$op == ":=", c("lhs", "est", "ci.lower", "ci.upper")]; names(d) <- c("name", "est", "low", "high")
  load <- z[z$op == "=~", c("rhs", "est.std", "ci.lower", "ci.upper")]; names(load) <- c("item", "est", "low", "high")
  cor <- z[z$op == "~~" & z$lhs %in% names(s) & z$lhs != z$rhs, c("lhs", "rhs", "est.std", "ci.lower", "ci.upper")]
  names(cor) <- c("a", "b", "est", "low", "high")
  free <- run(plain(s), x); one <- run(paste0(plain(s), "\n", a, " ~~ 1*", b), x)
  m <- s; m[[a]] <- c(s[[a]], s[[b]]); m[[b]] <- NULL; whole <- run(plain(m), x)
  gap <- function(g) as.list(unname(fitMeasures(g, c("chisq", "df")) - fitMeasures(free, c("chisq", "df"))))
  list(scales = s, n = nrow(x), estimator = estimator, defined = d, loadings = load, correlations = cor, pair = c(a, b), phi = gap(one), merged = gap(whole))
}
x <- read.csv(file.path(here, "psych_items.csv"))
abc <- lapply(c(A = "A", B = "B", C = "C"), function(s) paste0(s, 1:4))
out <- list(made_by = list(R = R.version.string, lavaan = as.character(packageVersion("lavaan"))),
  items = case(x, abc, "A", "B"), items_robust = case(x, abc, "A", "C", "MLR"))
root <- commandArgs(TRUE)
if (length(root)) {
  blocks <- function(sizes, glue = "") setNames(lapply(names(sizes), function(s) paste0(s, glue, seq_len(sizes[[s]]))), names(sizes))
  bank <- read.csv(file.path(root, "bank_satisfaction", "bank_satisfaction.csv"))
  corp <- read.csv(file.path(root, "corp_reputation", "corp_rep_data.csv")); corp[corp == -99] <- NA
  mobi <- read.csv(file.path(root, "ecsi_mobi", "mobi.csv"))
  infl <- read.csv(file.path(root, "influencer", "influencer_data.csv"))
  out$bank_satisfaction <- case(bank, blocks(c(imag = 5, expe = 5, qual = 5, val = 4, sat = 4, loy = 4)), "sat", "loy")
  out$corp_reputation <- case(corp, blocks(c(like = 3, comp = 3, cusl = 3, qual = 8), "_"), "like", "comp")
  out$ecsi_mobi <- case(mobi, list(IMAG = paste0("IMAG", 1:5), PERV = paste0("PERV", 1:2), CUSA = paste0("CUSA", 1:3), CUSL = c("CUSL1", "CUSL3")), "CUSA", "IMAG")
  out$influencer <- case(infl, blocks(c(sic = 7, pic = 5, pq = 4, pl = 4, pi = 5), "_"), "pl", "pi")
}
writeLines(toJSON(out, auto_unbox = TRUE, digits = NA), file.path(here, "validity.json"))
