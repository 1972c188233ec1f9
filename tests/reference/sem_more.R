# Items with covariates of their own, paths fixed at zero, indices for paths to fixed covariates,
# just-identified loops, difference tests after observed information.  See README.md.
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1])), "sem_tools.R"))

two <- "visual =~ x1 + x2 + x3\n textual =~ x4 + x5 + x6\n"
hs <- "holzinger"
case("more_item_on_covariate", paste0(two, "x3 ~ ageyr\n textual ~ visual + sex"), hs,
     also = c("scores", "r2", "modindices"))
case("more_item_on_item", paste0(two, "x3 ~ sex\n textual ~ visual + ageyr\n x5 ~ x2"), hs, also = "scores")
case("more_outcomes_in_a_row", paste0(two, "x7 ~ visual + ageyr\n x8 ~ visual + x7"), hs, also = c("scores", "r2"))
case("more_groups_item_on_covariate", paste0(two, "x3 ~ ageyr"), hs, list(group = "school", group_equal = list("loadings", "intercepts")),
     also = "scores")
case("more_zero_path", paste0(two, "textual ~ 0*visual"), hs, also = "r2")
case("more_loop", "x1 ~ x4 + ageyr\n x4 ~ x1 + sex\n x1 ~~ x4", hs, also = "residuals")
path <- "x1 ~ ageyr + sex + x4\n x4 ~ ageyr + sex\n x2 ~ x1 + x4\n x5 ~ x1 + x2"
case("more_path", path, hs, also = c("modindices", "r2"))
case("more_mimic_fiml", paste0(two, "textual ~ visual + ageyr + sex"), hs, list(missing = "fiml"),
     also = "modindices", data = list(blank = c("x1", "x2", "x3", "x4", "x5", "x6")))
case("more_mlr", two, hs, list(estimator = "MLR"))
case("more_mlr_equal", "visual =~ x1 + a*x2 + a*x3\n textual =~ x4 + x5 + x6\n visual ~~ 0*textual", hs, list(estimator = "MLR"))
difference("more_mlr_equal", "more_mlr", "satorra.2000")
write_cases("sem_more.json")
