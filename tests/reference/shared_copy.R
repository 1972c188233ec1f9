# Reads the SPSS file of `study export online_shopping --sav --language en` with haven and says,
# for each variable, what haven finds: mean without missing codes, blanks, labels.
# Rscript tests/reference/shared_copy.R FOLDER/online_shopping_shared.sav tests/reference/shared_copy.json
suppressMessages({library(haven); library(jsonlite)})
arguments <- commandArgs(trailingOnly = TRUE)
plain <- read_sav(arguments[1])                    # missing codes become NA
kept <- read_sav(arguments[1], user_na = TRUE)     # missing codes stay, and are listed
describe <- function(name) {
  x <- plain[[name]]
  codes <- attr(kept[[name]], "na_values")
  labels <- attr(kept[[name]], "labels")
  list(
    label = attr(x, "label"),
    mean = if (is.numeric(x)) mean(x, na.rm = TRUE) else NULL,
    n_missing = if (is.numeric(x)) sum(is.na(x)) else sum(x == ""),
    missing_codes = if (is.null(codes)) list() else as.list(codes),
    value_labels = if (is.null(labels)) list() else as.list(setNames(names(labels), unname(labels)))
  )
}
# quasi-identifiers and codes of persons are left to the other tests: the first are coarsened
names <- setdiff(names(plain), c("case", "day", "AGE", "GENDER", "EDU", "INCOME", "PLATF"))
names <- names[!startsWith(names, "mark_")]
found <- list(
  about = paste("haven", packageVersion("haven"), R.version.string),
  rows = nrow(plain),
  variables = setNames(lapply(names, describe), names)
)
write_json(found, arguments[2], auto_unbox = TRUE, digits = 12, pretty = FALSE)
