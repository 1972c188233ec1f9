# Exploratory factor analysis: fit by psych, GPArotation's oblimin from many starts, MAP of the
# fourth power, factor scores, Schmid-Leiman.
#   Rscript tests/reference/efa.R [folder with the real data sets]  -> efa.json
suppressMessages({library(psych); library(GPArotation); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1]))
map4 <- function(R, most = 8) {                   # Velicer, Eaton & Fava (2000), from the formula
  e <- eigen(R); p <- ncol(R); W <- e$vectors %*% diag(sqrt(e$values))
  sapply(0:most, function(m) { C <- R; if (m) C <- R - W[, 1:m, drop = FALSE] %*% t(W[, 1:m, drop = FALSE])
    q <- cov2cor(C); (sum(q^4) - p) / (p * (p - 1)) })
}
case <- function(x, m) {
  x <- na.omit(x); R <- cor(x); n <- nrow(x)
  fl <- factanal(covmat = R, n.obs = n, factors = m, rotation = "none", control = list(opt = list(factr = 1)))
  L <- unclass(fl$loadings); class(L) <- "matrix"
  f <- suppressWarnings(fa(R, m, n.obs = n, fm = "ml", rotate = "none"))
  set.seed(7)
  runs <- lapply(1:4, function(k) GPFoblq(L, Tmat = if (k == 1) diag(m) else Random.Start(m), method = "oblimin", eps = 1e-7, maxit = 1000))
  best <- runs[[which.min(sapply(runs, function(r) r$Table[nrow(r$Table), 2]))]]
  pattern <- unclass(best$loadings); phi <- best$Phi
  s <- factor.scores(x, pattern, Phi = phi, method = "Thurstone")$scores
  list(names = names(x), n = n, n_factors = m, statistic = fl$STATISTIC, dof = fl$dof, psych_statistic = f$STATISTIC, null_chisq = f$null.chisq, null_dof = f$null.dof, psych_tli = f$TLI,
    psych_bic = f$BIC, psych_rmsea = unname(f$RMSEA["RMSEA"]), oblimin = unname(pattern), phi = unname(phi), map4 = map4(R, min(8, ncol(x) - 2)),
    unrotated = unname(L), scores = unname(as.matrix(s[1:5, ])), kmo = KMO(R)$MSA, pc_values = eigen(R)$values)
}
x <- read.csv(file.path(here, "psych_items.csv"))
out <- list(made_by = list(R = R.version.string, psych = as.character(packageVersion("psych")), GPArotation = as.character(packageVersion("GPArotation"))),
  items = case(x[setdiff(names(x), "id")], 3))
root <- commandArgs(TRUE)
if (length(root)) {
  bfi <- read.csv(file.path(root, "bfi", "bfi.csv")); for (i in c("A1", "C4", "C5", "E1", "E2", "O2", "O5")) bfi[[i]] <- 7 - bfi[[i]]
  bank <- read.csv(file.path(root, "bank_satisfaction", "bank_satisfaction.csv"))
  mobi <- read.csv(file.path(root, "ecsi_mobi", "mobi.csv"))
  corp <- read.csv(file.path(root, "corp_reputation", "corp_rep_data.csv")); corp[corp == -99] <- NA
  infl <- read.csv(file.path(root, "influencer", "influencer_data.csv"))
  univ <- read.csv(file.path(root, "univer_orientation_services", "univer.csv"))
  blocks <- function(sizes, glue = "") unlist(lapply(names(sizes), function(s) paste0(s, glue, seq_len(sizes[[s]]))))
  out$bfi <- case(bfi[blocks(c(A = 5, C = 5, E = 5, N = 5, O = 5))], 5)
  out$bank_satisfaction <- case(bank[blocks(c(imag = 5, expe = 5, qual = 5, val = 4, sat = 4, loy = 4))], 4)
  out$ecsi_mobi <- case(mobi[blocks(c(CUEX = 3, CUSA = 3, CUSL = 3, IMAG = 5, PERQ = 7, PERV = 2))], 3)
  out$corp_reputation <- case(corp[blocks(c(csor = 5, attr = 3, perf = 5, qual = 8, like = 3, comp = 3, cusl = 3), "_")], 4)
  out$influencer <- case(infl[blocks(c(sic = 7, pic = 5, pq = 4, pl = 4, pi = 5), "_")], 4)
  out$univer_orientation_services <- case(univ[c("informat", "willingn", "officeho", "compete", "global")], 2)
}
writeLines(toJSON(out, auto_unbox = TRUE, digits = NA, matrix = "rowmajor"), file.path(here, "efa.json"))
