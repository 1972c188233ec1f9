# Ordinal items: thresholds, polychoric and polyserial correlations, DWLS and WLSMV.
#   Rscript tests/reference/sem_ordinal.R  -> sem_ordinal.json
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1])), "sem_tools.R"))

v <- c(paste0("c", 1:4), paste0("s", 1:4), paste0("l", 1:3))
five <- list(cut = list(list(columns = as.list(v), breaks = list(2.6, 3.5, 4.3, 5.2))))
three <- list(cut = list(list(columns = as.list(v), breaks = list(3.4, 4.8))))
two <- list(cut = list(list(columns = as.list(v), breaks = list(4.1))))
# c2 is ordered here too: it has one far outlier, and lavaan leaves rows whose density is below 1.5e-8
# out of a polyserial correlation, which moves it by .03.
mixed <- list(cut = list(list(columns = as.list(v[5:8]), breaks = list(3, 4, 5)), list(columns = as.list(v[9:11]), breaks = list(4.2)), list(columns = list("c2"), breaks = list(3.4, 4.8))))
in_mixed <- as.list(v[c(2, 5:11)])
MM <- "comp =~ c1 + c2 + c3 + c4\nsat =~ s1 + s2 + s3 + s4\nloy =~ l1 + l2 + l3"
SR <- paste0(MM, "\nsat ~ a*comp\nloy ~ b*sat + comp\nind := a*b")
sv <- function(id, model, options = list(), ...) case(paste0("ordinal_", id), model, "file:sem_survey.csv.gz", options = c(list(estimator = "WLSMV"), options), ...)
all <- as.list(v)
sv("five", SR, list(ordered = all), data = five, also = c("polychorics", "r2", "implied", "residuals", "modindices"))
sv("five_std_lv", MM, list(ordered = all, std_lv = TRUE), data = five)
sv("three", MM, list(ordered = all), data = three, also = c("polychorics", "residuals"))
sv("two", MM, list(ordered = all), data = two, also = "polychorics")
sv("mixed", SR, list(ordered = in_mixed), data = mixed, also = c("polychorics", "r2", "implied"))
sv("second_order", paste0(MM, "\ng =~ comp + sat + loy"), list(ordered = all), data = five)
sv("labels", "comp =~ a*c1 + a*c2 + c3 + c4\nsat =~ s1 + s2 + s3 + s4\nloy =~ l1 + l2 + l3", list(ordered = all, std_lv = TRUE), data = five)
sv("residual_covariance", paste0(MM, "\ns1 ~~ s2"), list(ordered = all), data = five)
sv("orthogonal", paste0(MM, "\ncomp ~~ 0*sat + 0*loy\nsat ~~ 0*loy"), list(ordered = all), data = five)
case("ordinal_dwls", SR, "file:sem_survey.csv.gz", options = list(estimator = "DWLS", ordered = all), data = five)
case("ordinal_dwls_mixed", SR, "file:sem_survey.csv.gz", options = list(estimator = "DWLS", ordered = in_mixed), data = mixed)
sv("ordinal_thresholds", paste0(MM, "\nc1 | t1 + t2 + t3 + t4\nc2 | z*t1 + t2"), list(ordered = all), data = five)
sv("covariate", paste0(MM, "\nsat ~ comp + male\ncomp ~ age"), list(ordered = all), data = five, note = "lavaan conditions on the covariates here, and so does the engine")
sv("path", "l1 ~ s1 + c1\ns1 ~ c1", list(ordered = list("l1")), data = list(cut = list(list(columns = list("l1"), breaks = list(3, 4, 5)))), note = "ordinal outcome of a fixed covariate and a continuous variable")
sv("covariate_random", "comp =~ c1 + c2 + c3 + c4\nsat =~ s1 + s2 + s3 + s4\nsat ~ comp + age\ncomp ~ l3", list(ordered = as.list(v[1:8]), fixed_x = FALSE), data = five, extra = list(conditional.x = FALSE), note = "covariates as continuous variables among the others; no dummy, whose scores have rank one")
for (eq in list(list(), list("thresholds"), list("loadings"), list("thresholds", "loadings"), list("thresholds", "loadings", "residuals"), list("thresholds", "loadings", "lv_variances"), list("thresholds", "loadings", "intercepts", "means"))) {
  id <- if (length(eq)) paste(c("groups", unlist(eq)), collapse = "_") else "groups"
  sv(id, MM, c(list(ordered = all, group = "platform"), if (length(eq)) list(group_equal = eq)), data = three, also = if (length(eq) == 2) c("polychorics", "implied") else character())
}
sv("groups_partial", MM, list(ordered = all, group = "platform", group_equal = list("thresholds", "loadings"), group_partial = list("comp=~c2", "s1|t1")), data = three)
sv("groups_mixed", MM, list(ordered = as.list(v[5:11]), group = "platform", group_equal = list("loadings")), data = list(cut = list(list(columns = as.list(v[5:11]), breaks = list(3.4, 4.8)))))
difference("ordinal_orthogonal", "ordinal_five", "satorra.2000")
difference("ordinal_groups_loadings", "ordinal_groups", "satorra.2000")
difference("ordinal_groups_thresholds_loadings", "ordinal_groups", "satorra.2000")

hs <- list(cut = list(list(columns = as.list(paste0("x", 1:9)), breaks = list(2.5, 4, 5.2))))
HS <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
case("ordinal_hs", HS, "holzinger", options = list(estimator = "WLSMV", ordered = as.list(paste0("x", 1:9))), data = hs, also = "polychorics")
b <- c(paste0("val", 1:4), paste0("sat", 1:4), paste0("loy", 1:4))
BANK <- "val =~ val1 + val2 + val3 + val4\nsat =~ sat1 + sat2 + sat3 + sat4\nloy =~ loy1 + loy2 + loy3 + loy4\nsat ~ val\nloy ~ sat"
bank <- list(cut = list(list(columns = as.list(b), breaks = list(5, 6, 7, 8))))
case("ordinal_bank", BANK, "realdata:bank_satisfaction/bank_satisfaction.csv", options = list(estimator = "WLSMV", ordered = as.list(b)), data = bank, also = "polychorics")
case("ordinal_bank_groups", BANK, "realdata:bank_satisfaction/bank_satisfaction.csv", options = list(estimator = "WLSMV", ordered = as.list(b), group = "gender", group_equal = list("thresholds", "loadings")), data = bank)
case("ordinal_missing_listwise", MM, "file:sem_survey.csv.gz", options = list(estimator = "WLSMV", ordered = all), data = c(three, list(blank = all)))
write_cases("sem_ordinal.json")
