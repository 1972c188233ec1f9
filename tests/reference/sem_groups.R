# Several groups, complete data.   Rscript tests/reference/sem_groups.R  -> sem_groups.json
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1])), "sem_tools.R"))

HS <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
by <- function(...) list(group = "school", ...)
hs <- function(id, model = HS, ...) case(paste0("groups_", id), model, "holzinger", ...)
every <- c("residuals", "implied", "r2", "modindices", "scores")

hs("configural", options = by(), also = every)
hs("metric", options = by(group_equal = list("loadings")), also = every)
hs("scalar", options = by(group_equal = list("loadings", "intercepts")), also = every)
hs("strict", options = by(group_equal = list("loadings", "intercepts", "residuals")), also = c("residuals", "modindices"))
hs("strict_means", options = by(group_equal = list("loadings", "intercepts", "residuals", "means")))
hs("scalar_means", options = by(group_equal = list("loadings", "intercepts", "means")))
hs("all_latent", options = by(group_equal = list("loadings", "intercepts", "residuals", "lv_variances", "lv_covariances", "means")))
hs("intercepts", options = by(group_equal = list("intercepts"))); hs("residuals", options = by(group_equal = list("residuals")))
hs("lv_variances", options = by(group_equal = list("lv_variances"))); hs("lv_covariances", options = by(group_equal = list("lv_covariances")))
hs("means", options = by(group_equal = list("means")))
hs("metric_lv_variances", options = by(group_equal = list("loadings", "lv_variances")))
hs("metric_lv_covariances", options = by(group_equal = list("loadings", "lv_variances", "lv_covariances")))
hs("metric_std_lv", options = by(group_equal = list("loadings"), std_lv = TRUE)); hs("scalar_std_lv", options = by(group_equal = list("loadings", "intercepts"), std_lv = TRUE))
hs("configural_std_lv", options = by(std_lv = TRUE)); hs("metric_no_means", options = by(group_equal = list("loadings"), meanstructure = FALSE))
hs("partial", options = by(group_equal = list("loadings", "intercepts"), group_partial = list("visual=~x2", "x7~1")))
hs("partial_strict", options = by(group_equal = list("loadings", "intercepts", "residuals"), group_partial = list("x3 ~ 1", "x1~~x1")))
SR <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\nspeed ~ visual + textual\nx4 ~~ x1\nx7 ~~ x8"
hs("structure", SR, options = by()); hs("regressions", SR, options = by(group_equal = list("regressions")), also = "modindices")
hs("residual_covariances", SR, options = by(group_equal = list("residual_covariances")))
hs("structure_metric_regressions", SR, options = by(group_equal = list("loadings", "regressions")))
hs("structure_scalar_regressions", SR, options = by(group_equal = list("loadings", "intercepts", "regressions")))
hs("structure_strict_covariances", SR, options = by(group_equal = list("loadings", "intercepts", "residuals", "residual_covariances")))
hs("structure_everything", SR, options = by(group_equal = list("loadings", "intercepts", "residuals", "residual_covariances", "regressions", "lv_variances", "lv_covariances", "means")))
for (m in c("MLR", "MLM")) for (rung in 1:4) {
  eq <- list(list(), list("loadings"), list("loadings", "intercepts"), list("loadings", "intercepts", "residuals"))[[rung]]
  hs(paste(tolower(m), c("configural", "metric", "scalar", "strict")[rung], sep = "_"), options = c(by(estimator = m), if (length(eq)) list(group_equal = eq)))
}
hs("mlmv_scalar", options = by(estimator = "MLMV", group_equal = list("loadings", "intercepts")))
hs("observed_metric", options = by(information = "observed", group_equal = list("loadings")))
hs("wishart_scalar", options = by(likelihood = "wishart", group_equal = list("loadings", "intercepts")))
hs("gls_scalar", options = by(estimator = "GLS", group_equal = list("loadings", "intercepts"))); hs("uls_metric", options = by(estimator = "ULS", group_equal = list("loadings")))
hs("second_order", paste0(HS, "\nability =~ visual + textual + speed"), options = by(group_equal = list("loadings")))
hs("labels", "visual =~ x1 + c(a, b)*x2 + c(d, d)*x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\ngap := a - b\nvisual ~~ c(v1, v2)*speed", options = by(), also = "r2")
hs("labels_constraint", "visual =~ x1 + c(a, b)*x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\na == b\nx1 ~ c(i1, i2)*1\ni1 == i2", options = by())
hs("one_label", "visual =~ x1 + a*x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9", options = by(), note = "one label over groups means equal")
hs("na_vector", "visual =~ c(NA, 1)*x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\nvisual ~~ c(1, NA)*visual", options = by())
hs("fixed_vector", "visual =~ x1 + c(0.6, NA)*x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\nvisual ~~ c(0, NA)*speed", options = by())
hs("free_means", paste0(HS, "\nvisual + textual + speed ~ c(0, NA)*1"), options = by(group_equal = list("loadings", "intercepts")))
hs("start_vector", "visual =~ x1 + start(c(0.5, 0.7))*x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9", options = by(group_equal = list("loadings")))
hs("mimic", paste0(HS, "\nvisual + textual ~ sex + ageyr"), options = by(group_equal = list("loadings", "intercepts", "regressions")))
hs("mimic_mlr", paste0(HS, "\nvisual + textual ~ sex + ageyr"), options = by(estimator = "MLR", group_equal = list("loadings", "intercepts")))
hs("path", "x9 ~ c(a1,a2)*x7 + ageyr\nx7 ~ c(b1,b2)*ageyr + x1\nind1 := a1*b1\nind2 := a2*b2\ngap := ind1 - ind2", options = by(), also = "r2")
hs("path_regressions", "x9 ~ x7 + ageyr\nx7 ~ ageyr + x1", options = by(group_equal = list("regressions")))
hs("path_intercepts", "x9 ~ x7 + ageyr\nx7 ~ ageyr + x1", options = by(group_equal = list("intercepts", "regressions", "residuals")))

SV <- "comp =~ c1 + c2 + c3 + c4\nsat =~ s1 + s2 + s3 + s4\nloy =~ l1 + l2 + l3\nsat ~ comp\nloy ~ sat + comp"
sv <- function(id, ...) case(paste0("groups_survey_", id), SV, "file:sem_survey.csv.gz", ...)
sv("configural", options = list(group = "platform")); sv("metric", options = list(group = "platform", group_equal = list("loadings")), also = "modindices")
sv("scalar", options = list(group = "platform", group_equal = list("loadings", "intercepts")), also = c("scores", "residuals"))
sv("mlr_metric", options = list(group = "platform", group_equal = list("loadings"), estimator = "MLR"))
sv("mlr_configural", options = list(group = "platform", estimator = "MLR"))
sv("scalar_regressions", options = list(group = "platform", group_equal = list("loadings", "intercepts", "regressions")))
difference("groups_survey_scalar_regressions", "groups_survey_scalar")
for (m in c("satorra.bentler.2001", "satorra.bentler.2010")) difference("groups_survey_mlr_metric", "groups_survey_mlr_configural", m)
ladder <- c("configural", "metric", "scalar", "strict")
for (k in 1:3) {
  difference(paste0("groups_", ladder[k + 1]), paste0("groups_", ladder[k]))
  for (e in c("mlr", "mlm")) for (m in c("satorra.bentler.2001", "satorra.bentler.2010"))
    difference(paste("groups", e, ladder[k + 1], sep = "_"), paste("groups", e, ladder[k], sep = "_"), m)
}

BANK <- "imag =~ imag1 + imag2 + imag3 + imag4 + imag5\nval =~ val1 + val2 + val3 + val4\nsat =~ sat1 + sat2 + sat3 + sat4\nloy =~ loy1 + loy2 + loy3 + loy4\nval ~ imag\nsat ~ imag + val\nloy ~ imag + sat"
bank <- function(id, ...) case(paste0("groups_bank_", id), BANK, "realdata:bank_satisfaction/bank_satisfaction.csv", ...)
bank("scalar", options = list(group = "gender", group_equal = list("loadings", "intercepts")))
bank("mlr_regressions", options = list(group = "gender", estimator = "MLR", group_equal = list("loadings", "intercepts", "regressions")))
REP <- "comp =~ comp_1 + comp_2 + comp_3\nlike =~ like_1 + like_2 + like_3\nloy =~ cusl_1 + cusl_2 + cusl_3\nsat =~ cusa\nsat ~ comp + like\nloy ~ comp + like + sat"
reputation <- function(id, ...) case(paste0("groups_reputation_", id), REP, "realdata:corp_reputation/corp_rep_data.csv", data = list(missing_code = -99), ...)
reputation("metric", options = list(group = "servicetype", group_equal = list("loadings")))
reputation("four", options = list(group = "serviceprovider", group_equal = list("loadings", "intercepts")))
write_cases("sem_groups.json")
