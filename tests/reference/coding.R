# Reference for helpers.service.coding and wording: Rscript coding.R > coding.json
# Formulas written out in base R: alpha by pairs of values, AC by Gwet (2008); psych for kappa.
suppressPackageStartupMessages({library(jsonlite); library(psych)})
set.seed(11)
n <- 60
truth <- sample(1:4, n, replace = TRUE, prob = c(.4, .3, .2, .1))
coder <- function(p) ifelse(runif(n) < p, truth, sample(1:4, n, replace = TRUE))
three <- cbind(coder(.85), coder(.75), coder(.6))
three[cbind(sample(n, 20), sample(1:3, 20, replace = TRUE))] <- NA
two <- cbind(coder(.8), coder(.7))

alpha <- function(x, metric) {
  x <- x[rowSums(!is.na(x)) >= 2, ]
  all <- x[!is.na(x)]; N <- length(all); f <- table(all); v <- as.numeric(names(f))
  place <- switch(metric, nominal = v, ordinal = cumsum(f) - f / 2, interval = v)
  at <- function(a) as.numeric(place[match(a, v)])
  d <- function(a, b) if (metric == "nominal") as.numeric(a != b) else (at(a) - at(b))^2
  Do <- 0
  for (u in seq_len(nrow(x))) {
    own <- x[u, !is.na(x[u, ])]; m <- length(own)
    for (i in seq_len(m)) for (j in seq_len(m)) if (i != j) Do <- Do + d(own[i], own[j]) / (m - 1)
  }
  De <- 0
  for (i in seq_len(N)) for (j in seq_len(N)) if (i != j) De <- De + d(all[i], all[j])
  1 - (Do / N) / (De / (N * (N - 1)))
}
gwet <- function(x, w) {
  q <- ncol(w); x <- x[rowSums(!is.na(x)) > 0, ]; N <- nrow(x)
  r <- t(apply(x, 1, function(row) tabulate(row[!is.na(row)], q))); m <- rowSums(r)
  pa_i <- sapply(seq_len(N), function(i) if (m[i] < 2) 0 else
    sum(sapply(1:q, function(k) r[i, k] * (sum(w[k, ] * r[i, ]) - 1))) / (m[i] * (m[i] - 1)))
  ok <- m >= 2; pa <- sum(pa_i) / sum(ok); pi <- colMeans(r / m)
  pe <- sum(w) / (q * (q - 1)) * sum(pi * (1 - pi)); ac <- (pa - pe) / (1 - pe)
  pe_i <- sum(w) / (q * (q - 1)) * (r %*% (1 - pi)) / m
  x_i <- (N / sum(ok)) * (pa_i - pe * ok) / (1 - pe) - 2 * (1 - ac) * (pe_i - pe) / (1 - pe)
  list(ac = ac, se = sqrt(sum((x_i - ac)^2) / (N * (N - 1))))
}
ordinal <- outer(1:4, 1:4, function(i, j) 1 - choose(abs(i - j) + 1, 2) / choose(4, 2))
interval <- outer(1:4, 1:4, function(i, j) 1 - (i - j)^2 / 9)
ka <- suppressWarnings(cohen.kappa(two))
linear <- suppressWarnings(cohen.kappa(two, w = outer(1:4, 1:4, function(i, j) 1 - abs(i - j) / 3)))

# keyness of one term: 30 of 400 words in the target, 12 of 600 elsewhere
O <- cbind(c(30, 12), c(370, 588)); E <- outer(rowSums(O), colSums(O)) / sum(O)
cases <- matrix(c(18, 22, 15, 145), 2)  # both, only one, only other, none
Ec <- outer(rowSums(cases), colSums(cases)) / sum(cases)
out <- list(
  three = three, two = two,
  alpha = sapply(c("nominal", "ordinal", "interval"), function(m) alpha(three, m), simplify = FALSE),
  gwet = list(nominal = gwet(three, diag(4)), ordinal = gwet(three, ordinal),
              interval = gwet(three, interval)),
  kappa = list(nominal = ka$kappa, nominal_var = ka$var.kappa, quadratic = ka$weighted.kappa,
               quadratic_var = ka$var.weighted, linear = linear$weighted.kappa),
  keyness = list(g2 = 2 * sum(O * log(O / E)), log_ratio = log2((30 / 400) / (12 / 600))),
  pair = list(g2 = 2 * sum(cases * log(cases / Ec)), lift = cases[1, 1] / Ec[1, 1])
)
cat(toJSON(out, digits = I(14), auto_unbox = TRUE, na = "null"))
