# Comparison of groups: ordinal ladder, score tests, partial steps, latent d, permuted groups.
# Rscript tests/reference/invariance.R   -> invariance.json   (run from the project root)
suppressMessages({library(lavaan); library(semTools); library(jsonlite)})
tight <- list(rel.tol = 1e-10, eval.max = 20000, iter.max = 20000)

d <- HolzingerSwineford1939
model <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
fit <- function(equal, ..., data = d) cfa(model, data = data, group = "school", group.equal = equal,
                                          control = tight, ...)
scores <- function(f) {
  found <- lavTestScore(f)$uni
  table <- parTable(f)
  name <- paste0(table$lhs, table$op, table$rhs)[match(found$lhs, table$plabel)]
  setNames(as.list(found$X2), name)
}
measures <- c("chisq", "df", "cfi", "rmsea", "srmr")
scaled <- c("chisq.scaled", "df", "cfi.scaled", "rmsea.scaled", "srmr")
list_of <- function(f, names) as.list(fitMeasures(f, names))

# Score tests of equalities, for the metric and the scalar step; every loading free to differ.
metric <- fit("loadings", std.lv = TRUE)
scalar <- fit(c("loadings", "intercepts"), std.lv = TRUE)
partial <- fit(c("loadings", "intercepts"), group.partial = c("x3~1", "x7~1"), std.lv = TRUE)
difference <- lavTestLRT(metric, partial)

# Three groups: score tests with two degrees of freedom.
d$age3 <- as.character(cut(d$ageyr, c(0, 12, 13, 20), labels = c("young", "middle", "old")))
three <- cfa(model, data = d, group = "age3", group.equal = c("loadings", "intercepts"),
             std.lv = TRUE, control = tight)
table3 <- parTable(three)
release3 <- lapply(paste0("x", 1:9), function(item) {
  own <- table3$plabel[table3$lhs == item & table3$op == "~1"]
  equal <- which(table3$op == "==" & table3$rhs %in% own[-1]) - sum(table3$op != "==")
  unname(lavTestScore(three, release = equal)$test$X2)
})

# Latent d of the partial model as defined parameters.
counts <- lavInspect(partial, "nobs")
labelled <- "visual =~ c(l1,l1)*x1 + c(l2,l2)*x2 + c(l3,l3)*x3
textual =~ c(l4,l4)*x4 + c(l5,l5)*x5 + c(l6,l6)*x6
speed =~ c(l7,l7)*x7 + c(l8,l8)*x8 + c(l9,l9)*x9
"
for (k in 1:3) labelled <- paste0(labelled, gsub("F", c("visual", "textual", "speed")[k], sprintf(
  "F ~~ c(1,NA)*F + c(u%d,v%d)*F\nF ~ c(0,NA)*1 + c(z%d,m%d)*1\n", k, k, k, k)))
for (k in 1:3) labelled <- paste0(labelled, sprintf("\nd%d := m%d / sqrt((%d + %d * v%d) / %d)", k, k,
                                                    counts[1], counts[2], k, sum(counts)))
labelled <- sub("visual =~ c\\(l1", "visual =~ c(NA,NA)*x1 + c(l1", labelled)
labelled <- sub("textual =~ c\\(l4", "textual =~ c(NA,NA)*x4 + c(l4", labelled)
labelled <- sub("speed =~ c\\(l7", "speed =~ c(NA,NA)*x7 + c(l7", labelled)
sized <- cfa(labelled, data = d, group = "school", group.equal = "intercepts",
             group.partial = c("x3~1", "x7~1"), control = tight)
stopifnot(abs(fitMeasures(sized, "chisq") - fitMeasures(partial, "chisq")) < 1e-6)
p <- parameterEstimates(sized)
means <- p[p$op == "~1" & p$lhs %in% c("visual", "textual", "speed") & p$group == 2, ]
effects <- p[p$op == ":=", ]

# Ordered items, steps of Wu and Estabrook.
ordinal <- "v =~ o1 + o2 + o3\nt =~ o4 + o5 + o6\ns =~ o7 + o8 + o9"
for (k in 1:9) {
  x <- d[[paste0("x", k)]]
  d[[paste0("o", k)]] <- 1L + (x > quantile(x, .2)) + (x > quantile(x, .5)) + (x > quantile(x, .8))
}
items <- paste0("o", 1:9)
equal <- list("", "thresholds", c("thresholds", "loadings"), c("thresholds", "loadings", "intercepts"))
steps <- lapply(equal, function(e) {
  text <- measEq.syntax(ordinal, data = d, ordered = items, parameterization = "delta",
                        ID.fac = "std.lv", ID.cat = "Wu.Estabrook.2016", group = "school",
                        group.equal = e)
  cfa(as.character(text), data = d, ordered = items, group = "school", estimator = "WLSMV",
      parameterization = "delta", control = tight)
})
tests <- lapply(2:4, function(k) {
  found <- lavTestLRT(steps[[k]], steps[[k - 1]])
  list(delta_chisq = found[2, "Chisq diff"], delta_df = found[2, "Df diff"],
       delta_p = found[2, "Pr(>Chisq)"])
})

# Permuted groups: a third of the rows of the second school dealt to the first and back.
moved <- d
n <- nrow(d)
moved$school <- ifelse((seq_len(n) * 7) %% n < counts[1], "A", "B")
deal <- lapply(list(NULL, "loadings", c("loadings", "intercepts")), function(e)
  list_of(if (is.null(e)) cfa(model, data = moved, group = "school", control = tight)
          else fit(e, data = moved), measures))

write_json(list(
  versions = list(lavaan = as.character(packageVersion("lavaan")),
                  semTools = as.character(packageVersion("semTools")), R = R.version.string),
  score_metric = scores(metric), score_scalar = scores(scalar), score_three = release3,
  partial = list_of(partial, measures),
  partial_difference = list(delta_chisq = difference[2, "Chisq diff"],
                            delta_df = difference[2, "Df diff"]),
  means = list(construct = means$lhs, est = means$est, se = means$se),
  latent_d = list(est = effects$est, se = effects$se),
  ordinal = lapply(steps, list_of, scaled), ordinal_tests = tests,
  dealt_labels = moved$school, deal = deal
), "tests/reference/invariance.json", auto_unbox = TRUE, digits = 12)
