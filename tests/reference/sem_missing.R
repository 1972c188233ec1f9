# Incomplete rows by full information maximum likelihood.   Rscript tests/reference/sem_missing.R  -> sem_missing.json
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1])), "sem_tools.R"))

HS <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
items <- as.list(paste0("x", 1:9))
every <- c("residuals", "implied", "r2", "modindices", "scores")
hs <- function(id, model = HS, options = list(), ...) case(paste0("fiml_", id), model, "holzinger", options = c(list(missing = "fiml"), options), data = list(blank = items), ...)
hs("ml", also = every); hs("mlr", options = list(estimator = "MLR"), also = "residuals"); hs("expected", options = list(information = "expected"))
hs("std_lv", options = list(std_lv = TRUE)); hs("one_factor_mlr", "g =~ x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9", options = list(estimator = "MLR"))
hs("orthogonal", paste0(HS, "\nvisual ~~ 0*textual + 0*speed\ntextual ~~ 0*speed"))
hs("orthogonal_mlr", paste0(HS, "\nvisual ~~ 0*textual + 0*speed\ntextual ~~ 0*speed"), options = list(estimator = "MLR"))
hs("second_order", paste0(HS, "\nability =~ visual + textual + speed"))
hs("equal", "visual =~ a*x1 + a*x2 + a*x3\ntextual =~ b*x4 + b*x5 + b*x6\nspeed =~ x7 + x8 + x9\nratio := a/b", options = list(std_lv = TRUE))
hs("equal_mlr", "visual =~ a*x1 + a*x2 + a*x3\ntextual =~ b*x4 + b*x5 + b*x6\nspeed =~ x7 + x8 + x9", options = list(std_lv = TRUE, estimator = "MLR"))
hs("mimic", paste0(HS, "\nvisual + textual ~ sex + ageyr\nspeed ~ ageyr"), also = "r2")
hs("mimic_mlr", paste0(HS, "\nvisual + textual ~ sex + ageyr\nspeed ~ ageyr"), options = list(estimator = "MLR"))
hs("mimic_random_x", paste0(HS, "\nvisual + textual ~ sex + ageyr\nspeed ~ ageyr"), options = list(fixed_x = FALSE))
hs("path", "x9 ~ x7 + ageyr + sex\nx7 ~ ageyr + x8\nx8 ~ sex + ageyr"); hs("path_mlr", "x9 ~ x7 + ageyr + sex\nx7 ~ ageyr + x8\nx8 ~ sex + ageyr", options = list(estimator = "MLR"))
hs("path_blank_x", "x9 ~ x7 + x1\nx7 ~ x1 + x4", note = "x1 and x4 are exogenous and have blanks: lavaan drops those rows")
hs("path_blank_random_x", "x9 ~ x7 + x1\nx7 ~ x1 + x4", options = list(fixed_x = FALSE))
hs("groups", options = list(group = "school")); hs("groups_metric", options = list(group = "school", group_equal = list("loadings")), also = "modindices")
hs("groups_scalar", options = list(group = "school", group_equal = list("loadings", "intercepts")), also = c("scores", "residuals"))
hs("groups_mlr", options = list(group = "school", estimator = "MLR")); hs("groups_mlr_scalar", options = list(group = "school", estimator = "MLR", group_equal = list("loadings", "intercepts")))
hs("groups_strict_mlr", options = list(group = "school", estimator = "MLR", group_equal = list("loadings", "intercepts", "residuals")))
difference("fiml_orthogonal", "fiml_ml"); difference("fiml_groups_metric", "fiml_groups"); difference("fiml_groups_scalar", "fiml_groups_metric")
for (m in c("satorra.bentler.2001", "satorra.bentler.2010")) {
  difference("fiml_orthogonal_mlr", "fiml_mlr", m); difference("fiml_groups_mlr_scalar", "fiml_groups_mlr", m); difference("fiml_groups_strict_mlr", "fiml_groups_mlr_scalar", m)
}
case("listwise_blank", HS, "holzinger", data = list(blank = items)); case("listwise_blank_mlr", HS, "holzinger", options = list(estimator = "MLR"), data = list(blank = items))
case("fiml_complete", HS, "holzinger", options = list(missing = "fiml")); case("fiml_complete_mlr", HS, "holzinger", options = list(missing = "fiml", estimator = "MLR"))

PD <- "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + a*y2 + b*y3 + c*y4\ndem65 =~ y5 + a*y6 + b*y7 + c*y8\ndem60 ~ g*ind60\ndem65 ~ h*ind60 + k*dem60\ny1 ~~ y5\ny2 ~~ y4 + y6\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8\nindirect := g*k"
pd <- function(id, ...) case(paste0("fiml_pd_", id), PD, "democracy", data = list(blank = as.list(c(paste0("y", 1:8), "x2", "x3"))), ...)
pd("ml", options = list(missing = "fiml")); pd("mlr", options = list(missing = "fiml", estimator = "MLR"))
SV <- "comp =~ c1 + c2 + c3 + c4\nsat =~ s1 + s2 + s3 + s4\nloy =~ l1 + l2 + l3\nsat ~ comp + male\nloy ~ sat + comp\ncomp ~ age"
sv <- function(id, ...) case(paste0("fiml_survey_", id), SV, "file:sem_survey.csv.gz", data = list(blank = as.list(c(paste0("c", 1:4), paste0("s", 1:4), paste0("l", 1:3)))), ...)
sv("ml", options = list(missing = "fiml"), also = c("scores", "residuals")); sv("mlr", options = list(missing = "fiml", estimator = "MLR"))
sv("groups", options = list(missing = "fiml", group = "platform", group_equal = list("loadings", "intercepts")))
G <- "level =~ 1*t1 + 1*t2 + 1*t3 + 1*t4\nslope =~ 0*t1 + 1*t2 + 2*t3 + 3*t4\nt1 + t2 + t3 + t4 ~ 0*1\nlevel + slope ~ 1\nlevel + slope ~ z"
case("fiml_growth", G, "file:sem_growth.csv.gz", options = list(missing = "fiml"), data = list(blank = as.list(paste0("t", 1:4))))
case("fiml_growth_mlr", G, "file:sem_growth.csv.gz", options = list(missing = "fiml", estimator = "MLR"), data = list(blank = as.list(paste0("t", 1:4))))

REP <- "comp =~ comp_1 + comp_2 + comp_3\nlike =~ like_1 + like_2 + like_3\nloy =~ cusl_1 + cusl_2 + cusl_3\nsat =~ cusa\nsat ~ comp + like\nloy ~ comp + like + sat"
reputation <- function(id, options) case(paste0("fiml_reputation_", id), REP, "realdata:corp_reputation/corp_rep_data.csv", options = c(list(missing = "fiml"), options), data = list(missing_code = -99))
reputation("ml", list()); reputation("mlr", list(estimator = "MLR"))
reputation("groups", list(group = "servicetype", group_equal = list("loadings", "intercepts"))); reputation("groups_mlr", list(group = "servicetype", estimator = "MLR", group_equal = list("loadings", "intercepts", "regressions")))
BANK <- "val =~ val1 + val2 + val3 + val4\nsat =~ sat1 + sat2 + sat3 + sat4\nloy =~ loy1 + loy2 + loy3 + loy4\nsat ~ val\nloy ~ sat"
case("fiml_bank_mlr", BANK, "realdata:bank_satisfaction/bank_satisfaction.csv", options = list(missing = "fiml", estimator = "MLR"), data = list(blank = as.list(c(paste0("val", 1:4), paste0("sat", 1:4), paste0("loy", 1:4)))))
write_cases("sem_missing.json")
