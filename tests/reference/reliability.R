# Reliability beyond alpha: omega categorical, omega of a second-order model (semTools), omega
# hierarchical by Schmid-Leiman (psych), rho_A (formulas of Dijkstra & Henseler 2015 with PLS mode A
# written out), CR and AVE of a one-factor model with delta-method intervals (lavaan), and
# functions of fixed resamples.
#   Rscript tests/reference/reliability.R [folder with the real data sets]  -> reliability.json
suppressMessages({library(psych); library(semTools); library(lavaan); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1]))

categorical <- function(x) {
  x <- na.omit(x)
  f <- cfa(paste("F =~", paste(names(x), collapse = " + ")), x, ordered = names(x), std.lv = TRUE, estimator = "WLSMV")
  list(n = nrow(x), items = names(x), value = unname(compRelSEM(f, obs.var = FALSE, ord.scale = TRUE)))
}
second <- function(x, facets) {
  x <- na.omit(x[unlist(facets)])
  lines <- sapply(names(facets), function(k) { i <- facets[[k]]; l <- paste0("l_", i)
    paste0(k, " =~ 1*", i[1], if (length(i) > 1) paste0(" + ", paste0(l[-1], "*", i[-1], collapse = " + ")), "\n",
      paste0(i, " ~~ e_", i, "*", i, collapse = "\n"), "\n", k, " ~~ d_", k, "*", k, "\n") })
  sums <- sapply(facets, function(i) paste0("(1", if (length(i) > 1) paste0("+", paste0("l_", i[-1], collapse = "+")), ")"))
  g <- ifelse(seq_along(facets) == 1, "1", paste0("g_", names(facets)))
  top <- paste0("H =~ 1*", names(facets)[1], " + ", paste0(g[-1], "*", names(facets)[-1], collapse = " + "), "\nH ~~ h*H\n")
  common <- paste0("h*(", paste0(sums, "*", g, collapse = "+"), ")^2"); special <- paste0(sums, "^2*d_", names(facets), collapse = "+")
  error <- paste0("e_", unlist(facets), collapse = "+")
  f <- sem(paste0(paste(lines, collapse = ""), top, "oh := (", common, ")/((", common, ")+", special, "+", error, ")\n",
    "ot := ((", common, ")+", special, ")/((", common, ")+", special, "+", error, ")\n"), x)
  p <- parameterEstimates(f); row <- function(n) unlist(p[p$lhs == n, c("est", "se", "ci.lower", "ci.upper")], use.names = FALSE)
  list(n = nrow(x), facets = facets, omega_h = row("oh"), omega_t = row("ot"),
    semtools_omega_h = unname(compRelSEM(f, higher = "H", obs.var = FALSE)["H"]))
}
leiman <- function(x, m) { x <- na.omit(x)
  o <- suppressWarnings(suppressMessages(omega(cor(x), nfactors = m, fm = "minres", rotate = "oblimin", plot = FALSE, flip = FALSE)))
  list(n = nrow(x), items = names(x), n_factors = m, omega_h = o$omega_h, omega_t = o$omega.tot, general = unname(o$schmid$sl[, 1])) }
pls <- function(x, blocks, links) {                                  # factorial scheme, mode A
  z <- scale(na.omit(x[unlist(blocks)])); k <- length(blocks)
  w <- lapply(blocks, function(b) { v <- rep(1, length(b)); v / sd(z[, b, drop = FALSE] %*% v) })
  for (s in 1:1000) {
    y <- sapply(1:k, function(j) z[, blocks[[j]], drop = FALSE] %*% w[[j]]); e <- cor(y) * links
    inner <- y %*% e; old <- w
    w <- lapply(1:k, function(j) { v <- as.vector(cov(z[, blocks[[j]], drop = FALSE], inner[, j])); v <- v * sign(sum(v)); v / sd(z[, blocks[[j]], drop = FALSE] %*% v) })
    if (max(abs(unlist(w) - unlist(old))) < 1e-12) break
  }
  sapply(1:k, function(j) { v <- w[[j]]; S <- cor(z[, blocks[[j]], drop = FALSE]); if (length(v) == 1) return(1)
    sum(v^2)^2 * as.numeric(t(v) %*% (S - diag(diag(S))) %*% v) / as.numeric(t(v) %*% (v %*% t(v) - diag(v^2)) %*% v) })
}
one <- function(x) { x <- na.omit(x); i <- names(x); l <- paste0("l", seq_along(i)); e <- paste0("e", seq_along(i))
  z <- paste0("(", l, "/sqrt(", l, "^2+", e, "))"); q <- paste0(z, "^2")
  f <- cfa(paste0("F =~ ", paste0(l, "*", i, collapse = "+"), "\n", paste0(i, "~~", e, "*", i, collapse = "\n"), "\nave := (", paste(q, collapse = "+"), ")/", length(i),
    "\ncr := (", paste(z, collapse = "+"), ")^2/((", paste(z, collapse = "+"), ")^2+", length(i), "-(", paste(q, collapse = "+"), "))"), x, std.lv = TRUE, control = list(rel.tol = 1e-11))
  p <- parameterEstimates(f); r <- function(n) unlist(p[p$lhs == n, c("est", "ci.lower", "ci.upper")], use.names = FALSE); list(n = nrow(x), items = i, cr = r("cr"), ave = r("ave")) }

x <- read.csv(file.path(here, "psych_items.csv")); abc <- lapply(c(A = "A", B = "B", C = "C"), function(s) paste0(s, 1:4))
full <- matrix(1, 3, 3) - diag(3)
half <- na.omit(x[abc$A])[seq(1, 200, 2), ]; a <- psych::alpha(half, warnings = FALSE)          # one fixed "resample"
out <- list(made_by = list(R = R.version.string, psych = as.character(packageVersion("psych")), semTools = as.character(packageVersion("semTools")), lavaan = as.character(packageVersion("lavaan"))),
  items = list(categorical = categorical(x[abc$A]), second = second(x, abc), leiman = leiman(x[unlist(abc)], 3),
    rho_a = list(scales = abc, links = "all", values = pls(x, abc, full)), one = one(x[abc$B]),
    half = list(std = a$total$std.alpha, rest = a$item.stats$r.drop, without = a$alpha.drop$raw_alpha)))
root <- commandArgs(TRUE)
if (length(root)) {
  mobi <- read.csv(file.path(root, "ecsi_mobi", "mobi.csv")); bfi <- read.csv(file.path(root, "bfi", "bfi.csv"))
  for (i in c("A1", "C4", "C5", "E1", "E2", "O2", "O5")) bfi[[i]] <- 7 - bfi[[i]]
  univ <- read.csv(file.path(root, "univer_orientation_services", "univer.csv")); infl <- read.csv(file.path(root, "influencer", "influencer_data.csv"))
  m <- list(Image = paste0("IMAG", 1:5), Expectation = paste0("CUEX", 1:3), Value = paste0("PERV", 1:2), Satisfaction = paste0("CUSA", 1:3))
  to <- matrix(0, 4, 4); to[4, 1:3] <- to[1:3, 4] <- 1
  out$ecsi_mobi <- list(categorical = categorical(mobi[m$Image]), leiman = leiman(mobi[paste0("PERQ", 1:7)], 3), one = one(mobi[m$Image]),
    rho_a = list(scales = m, links = "Satisfaction", values = pls(mobi, m, to)))
  out$bfi <- list(categorical = categorical(bfi[paste0("N", 1:5)]), leiman = leiman(bfi[paste0(rep(c("A", "C", "E"), each = 5), 1:5)], 3),
    second = second(bfi, list(A = paste0("A", 1:5), C = paste0("C", 1:5), E = paste0("E", 1:5))))
  out$influencer <- list(categorical = categorical(infl[paste0("pl_", 1:4)]), one = one(infl[paste0("pq_", 1:4)]))
  out$univer_orientation_services <- list(categorical = categorical(univ[c("informat", "willingn", "officeho", "compete")]), one = one(univ[c("informat", "willingn", "officeho", "compete")]))
}
writeLines(toJSON(out, auto_unbox = TRUE, digits = NA), file.path(here, "reliability.json"))
