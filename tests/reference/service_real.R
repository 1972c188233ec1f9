# Real data of others, numbers only: delays of delivery and reviews (Olist), complainers and
# others (ACSI 2015). Run: Rscript tests/reference/service_real.R FOLDER_OF_REAL_DATA
library(splines); library(sandwich); library(jsonlite)
script <- sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))
real <- commandArgs(TRUE)[1]

o <- read.csv(file.path(real, "olist_orders_reviews/olist_orders_reviews_subset.csv"))
time <- function(x) as.numeric(as.POSIXct(x, tz = "UTC", format = "%Y-%m-%d %H:%M:%S"))
d <- data.frame(days = (time(o$order_delivered_customer_date) - time(o$order_purchase_timestamp)) / 86400,
  y = o$review_score)[o$order_status == "delivered", ]
d <- na.omit(d)
k <- unname(quantile(d$days, c(.05, .35, .65, .95)))
l1 <- lm(y ~ days, d); l2 <- lm(y ~ log2(days), d)
l3 <- lm(y ~ ns(days, knots = k[2:3], Boundary.knots = k[c(1, 4)]), d)
rss <- function(at) deviance(lm(y ~ days + pmax(days - at, 0), d))
best <- optimize(rss, quantile(d$days, c(.1, .9)), tol = 1e-6)
l4 <- lm(y ~ days + pmax(days - best$minimum, 0), d)
olist <- list(n = nrow(d), aic = c(AIC(l1), AIC(l2), AIC(l3)), slope = unname(coef(l2)[2]),
  slope_se = unname(sqrt(vcovHC(l2, "HC3")[2, 2])), f = anova(l1, l3)$F[2], break_at = best$minimum,
  break_r2 = summary(l4)$r.squared, before = unname(coef(l4)[2]), after = unname(sum(coef(l4)[2:3])))

a <- read.csv(file.path(real, "acsi_2015/acsi2015_three_industries.csv"))
a[a == 98 | a == 99] <- NA  # all columns that are used here run to 10 at most
one <- function(v) {
  x <- a[[v]][which(a$COMP == 1)]; y <- a[[v]][which(a$COMP == 0)]
  x <- x[!is.na(x)]; y <- y[!is.na(y)]; t <- t.test(x, y)
  m <- length(x) + length(y) - 2
  pooled <- sqrt(((length(x) - 1) * var(x) + (length(y) - 1) * var(y)) / m)
  small <- exp(lgamma(m / 2) - lgamma((m - 1) / 2)) / sqrt(m / 2)
  list(n = c(length(x), length(y)), difference = mean(x) - mean(y), low = t$conf.int[1],
    high = t$conf.int[2], t = unname(t$statistic), df = unname(t$parameter),
    g = small * (mean(x) - mean(y)) / pooled)
}
s <- a[which(a$COMP == 1), c("SATIS", "OVERALLQ", "HANDLE")]; s <- na.omit(s)
z <- data.frame(scale(s)); handled <- lm(SATIS ~ OVERALLQ + HANDLE, z)
r <- cor(z$HANDLE, z$OVERALLQ); e <- eigen(matrix(c(1, r, r, 1), 2))
root <- e$vectors %*% diag(sqrt(e$values)) %*% t(e$vectors)
raw <- as.vector(root^2 %*% solve(root, c(cor(z$OVERALLQ, z$SATIS), cor(z$HANDLE, z$SATIS)))^2)
acsi <- list(SATIS = one("SATIS"), REPUR = one("REPUR"), n_handled = nrow(s),
  r2 = summary(handled)$r.squared, weights = raw)
writeLines(toJSON(list(made_by = R.version.string, olist = olist, acsi = acsi), auto_unbox = TRUE,
  digits = NA, pretty = TRUE), file.path(dirname(script), "service_real.json"))
