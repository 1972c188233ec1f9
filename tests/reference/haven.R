# What haven writes into an SPSS and a Stata file, and what it reads back.
# Run from tests/reference: Rscript haven.R; writes haven.sav, haven.zsav, haven.dta, haven.json.
library(haven)
library(jsonlite)

agree <- c("strongly disagree" = 1, "neither" = 4, "strongly agree" = 7)
survey <- data.frame(
  id = 1:6,
  sat1 = labelled_spss(c(1, 7, 4, 99, NA, 5), c(agree, "not applicable" = 99),
                       na_values = 99, label = "The refund was fair."),
  sat2 = labelled_spss(c(2, 6, -98, -99, 3, NA), agree, na_range = c(-99, -90),
                       label = "\u5546\u5bb6\u7684\u8865\u507f\u662f\u516c\u5e73\u7684"),
  gender = labelled(c(1, 2, 2, 1, 2, 1), c("\u5973" = 1, "\u7537" = 2), label = "Gender"),
  city = c("Wuhan", "", "\u4e0a\u6d77", "K\u00f6ln", "Rome", "Lima"),
  hours = c(1.5, 24, 0.25, NA, 48, 12.75),
  start = as.POSIXct("2026-03-02 09:14:55", tz = "UTC") + 3600 * (0:5)
)
write_sav(survey, "haven.sav", compress = "byte")
write_sav(survey, "haven.zsav", compress = "zsav")
stata <- survey[c("id", "gender", "city", "hours")]
stata$sat <- labelled(c(1, 7, tagged_na("a"), 4, NA, 5), agree, label = "The refund was fair.")
write_dta(stata, "haven.dta", version = 14)

back <- read_sav("haven.sav", user_na = TRUE)
describe <- function(x) {
  list(
    label = attr(x, "label"),
    labels = as.list(attr(x, "labels")),
    na_values = attr(x, "na_values"),
    na_range = attr(x, "na_range"),
    values = if (inherits(x, "POSIXct")) format(x, "%Y-%m-%d %H:%M:%S", tz = "UTC") else
      if (is.character(x)) as.character(x) else as.numeric(unclass(x))
  )
}
dta <- read_dta("haven.dta")
out <- list(
  versions = list(R = R.version.string, haven = as.character(packageVersion("haven"))),
  sav = lapply(back, describe),
  dta = list(sat = as.numeric(dta$sat), tag = na_tag(dta$sat), labels = as.list(attr(dta$sat, "labels")))
)
write_json(out, "haven.json", auto_unbox = TRUE, digits = NA, na = "null", null = "null", pretty = TRUE)
