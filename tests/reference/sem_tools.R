# Functions behind the lavaan reference numbers: read data, call lavaan from our own keyword
# arguments, and write one JSON line a case.  Used by sem_*.R, see README.md.
suppressMessages({library(lavaan); library(jsonlite)})
options(warn = 1, digits = 15)

here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1]))
realdata <- file.path(here, "..", "..", "..", "shared", "realdata")

# ---- data: the same steps in the same order as tests/sem/conftest.py --------------------------
read_source <- function(name) switch(strsplit(name, ":")[[1]][1],
  holzinger = { d <- HolzingerSwineford1939; d$school <- as.character(d$school); d },
  democracy = PoliticalDemocracy,
  file = read.csv(gzfile(file.path(here, sub("file:", "", name)))),
  realdata = read.csv(file.path(realdata, sub("realdata:", "", name))))

blank_cells <- function(d, columns) {
  i <- seq_len(nrow(d))
  for (j in seq_along(columns)) {
    hit <- (3 * i^2 + 5 * j^2 + 7 * i * j) %% 17 < 2
    d[[columns[j]]][hit] <- NA
  }
  d
}
cut_items <- function(d, columns, breaks) {
  for (v in columns) d[[v]] <- ifelse(is.na(d[[v]]), NA, 1 + findInterval(d[[v]], breaks, left.open = TRUE))
  d
}
make_data <- function(s) {
  d <- read_source(s$source)
  if (!is.null(s$missing_code)) d[d == s$missing_code] <- NA
  if (!is.null(s$drop_blank)) d <- d[stats::complete.cases(d[unlist(s$drop_blank)]), ]
  for (k in s$cut) d <- cut_items(d, unlist(k$columns), unlist(k$breaks))
  if (!is.null(s$blank)) d <- blank_cells(d, unlist(s$blank))
  d
}

# ---- lavaan called with the keyword arguments of helpers.sem.fit ------------------------------
# lavaan stops at a relative change of 1e-10, which leaves estimates 2e-5 off, with constraints 1e-4.
# So: nlminb with a much later stop, accepted even where it then says it can do no better ("false" or
# "singular convergence"), and BFGS from there; the size of the gradient is written beside every case.
saturated <- list(em.h1.iter.max = 20000, em.h1.tol = 1e-11, optim.force.converged = TRUE, optim.attempts = 1)
first_stage <- c(saturated, list(control = list(rel.tol = 1e-15, x.tol = 1e-13, xf.tol = 1e-16, abs.tol = 0,
                                                iter.max = 20000, eval.max = 40000)))
second_stage <- c(saturated, list(optim.method = "BFGS", control = list(reltol = 0, maxit = 1e5)))
rename <- c(estimator = "estimator", missing = "missing", group = "group", group_equal = "group.equal",
            group_partial = "group.partial", ordered = "ordered", meanstructure = "meanstructure",
            std_lv = "std.lv", fixed_x = "fixed.x", information = "information", likelihood = "likelihood",
            n_obs = "sample.nobs")
call_lavaan <- function(model, data, options, extra = list()) {
  args <- c(list(model = model), extra)
  for (k in setdiff(names(options), c("sample_cov", "sample_mean"))) args[[rename[[k]]]] <- unlist(options[[k]])
  if (!is.null(args$group.equal)) args$group.equal <- chartr("_", ".", args$group.equal)
  if (!is.null(options$sample_cov)) {
    v <- unlist(options$sample_cov$names)
    args$sample.cov <- matrix(unlist(options$sample_cov$values), length(v), dimnames = list(v, v))
    if (!is.null(options$sample_mean)) args$sample.mean <- setNames(unlist(options$sample_mean), v)
  } else args$data <- data
  if (is.null(args$fixed.x)) args$fixed.x <- TRUE  # else start= turns it off
  expected <- "the optimizer warns that a solution has NOT been found"
  run <- function(more) withCallingHandlers(do.call("sem", c(args, more)), warning = function(w)
    if (grepl(expected, conditionMessage(w))) invokeRestart("muffleWarning"))
  f <- run(c(first_stage, list(se = "none", test = "none", baseline = FALSE)))
  polished <- run(c(second_stage, list(start = parTable(f), check.start = FALSE)))
  # BFGS cannot hold every kind of constraint; keep the first stage where it ends elsewhere
  same <- isTRUE(abs(lavInspect(polished, "optim")$fx - lavInspect(f, "optim")$fx) < 1e-6) &&
    lavInspect(polished, "npar") == lavInspect(f, "npar")
  if (same) polished else run(first_stage)
}

# ---- what is written ---------------------------------------------------------------------------
num <- function(x) signif(as.numeric(x), 9)
estimates <- function(f, options) {
  p <- as.data.frame(parameterEstimates(f, standardized = TRUE, remove.nonfree = FALSE, remove.eq = TRUE,
                                        remove.ineq = TRUE))
  g <- if ("group" %in% names(p)) p$group else ifelse(p$op == ":=", 0, 1)
  s <- as.data.frame(standardizedSolution(f, remove.eq = TRUE, remove.ineq = TRUE))
  key <- function(d) paste(d$lhs, d$op, d$rhs, if ("group" %in% names(d)) d$group else "")
  at <- match(key(p), key(s))
  z <- function(v) if (v %in% names(p)) num(p[[v]]) else rep(NA, nrow(p))
  data.frame(lhs = p$lhs, op = p$op, rhs = p$rhs, group = g, est = z("est"), se = z("se"),
             std_lv = z("std.lv"), std_all = z("std.all"), std_all_se = num(s$se[at]))
}
measures <- function(f) {
  m <- fitMeasures(f); m <- m[!is.na(m)]
  as.list(setNames(num(m), names(m)))
}
per_group <- function(x, f) if (lavInspect(f, "ngroups") > 1) x else list(x)
square <- function(m) { m <- unclass(m); list(names = rownames(m), lower = lapply(seq_len(nrow(m)), function(i) as.list(num(m[i, seq_len(i)])))) }
more <- function(f, what) {
  out <- list()
  if ("residuals" %in% what) for (type in c("cor", "normalized", "standardized")) {
    r <- tryCatch(per_group(resid(f, type = type), f), error = function(e) NULL)
    if (is.null(r)) next  # lavaan has no standard error for these (ULS)
    out$residuals[[type]] <- lapply(r, function(g) c(list(cov = square(g$cov)), if (!is.null(g$mean)) list(mean = num(g$mean))))
  }
  if ("implied" %in% what) out$implied <- lapply(per_group(fitted(f), f), function(g)
    c(list(cov = square(g$cov)), if (!is.null(g$mean)) list(mean = num(g$mean))))
  if ("r2" %in% what) out$r2 <- lapply(per_group(lavInspect(f, "r2"), f), function(g) as.list(setNames(num(g), names(g))))
  if ("modindices" %in% what) {
    m <- as.data.frame(modindices(f, sort. = TRUE, maximum.number = 15))
    out$modindices <- data.frame(lhs = m$lhs, op = m$op, rhs = m$rhs, group = if ("group" %in% names(m)) m$group else 1,
                                 mi = num(m$mi), epc = num(m$epc), sepc_lv = num(m$sepc.lv), sepc_all = num(m$sepc.all))
  }
  if ("scores" %in% what) for (method in c("regression", "Bartlett")) {
    s <- per_group(lavPredict(f, method = method), f)
    out$scores[[tolower(method)]] <- lapply(s, function(g) list(names = colnames(g),
      values = lapply(1:5, function(i) num(g[i, ]))))
  }
  if ("polychorics" %in% what) {
    k <- per_group(lavInspect(f, "sampstat"), f)
    out$polychorics <- lapply(k, function(g) c(list(cov = square(g$cov)), list(th = as.list(setNames(num(g$th), names(g$th))))))
  }
  out
}

# ---- the register ------------------------------------------------------------------------------
kept <- new.env(); lines <- character(); asked <- commandArgs(TRUE)
case <- function(id, model, source = NULL, options = list(), also = character(), data = list(), extra = list(), note = NULL) {
  if (length(asked) && !any(startsWith(id, asked))) return(invisible())
  recipe <- c(list(source = source), data)
  d <- if (is.null(source)) NULL else make_data(recipe)
  started <- proc.time()[[3]]
  f <- tryCatch(call_lavaan(model, d, options, extra), error = function(e) { cat(id, "FAILED:", conditionMessage(e), "\n"); NULL })
  if (is.null(f)) return(invisible())
  assign(id, f, envir = kept)
  e <- estimates(f, options)
  grad <- tryCatch(max(abs(lavInspect(f, "gradient"))), error = function(e) NA)
  x <- c(list(id = id, model = model, data = if (!is.null(source)) recipe, options = options, note = note,
              n_groups = lavInspect(f, "ngroups"), group_labels = lavInspect(f, "group.label"),
              n_obs = lavInspect(f, "nobs"), gradient = signif(grad, 3), estimates_columns = names(e),
              estimates = lapply(seq_len(nrow(e)), function(i) unname(as.list(e[i, ]))), fit = measures(f)), more(f, also))
  x <- x[!vapply(x, is.null, NA)]
  lines[[length(lines) + 1]] <<- toJSON(x, auto_unbox = TRUE, digits = NA, null = "null", na = "null")
  cat(sprintf("%-34s %6.1f s  gradient %.1e  chisq %.6f df %d\n", id, proc.time()[[3]] - started, grad, fitMeasures(f, "chisq"), fitMeasures(f, "df")))
}
difference <- function(id0, id1, method = "default") {
  if (!exists(id0, kept) || !exists(id1, kept)) return(invisible())
  t <- lavTestLRT(kept[[id1]], kept[[id0]], method = method)
  x <- list(difference = c(id0, id1), method = method, chisq_diff = num(t[["Chisq diff"]][2]), df_diff = num(t[["Df diff"]][2]), pvalue = num(t[["Pr(>Chisq)"]][2]))
  lines[[length(lines) + 1]] <<- toJSON(x, auto_unbox = TRUE, digits = NA)
}
write_cases <- function(file) {
  meta <- toJSON(list(lavaan = as.character(packageVersion("lavaan")), R = R.version.string), auto_unbox = TRUE)
  writeLines(c("[", paste0(c(meta, lines), c(rep(",", length(lines)), "")), "]"), file.path(here, file))
  cat(file, file.size(file.path(here, file)), "bytes\n")
}
