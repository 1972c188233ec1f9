# Likelihoods of factor models with several local maxima: factanal from 200 starts.
# Rscript tests/reference/efa_starts.R -> tests/reference/efa_starts.json
suppressMessages({library(lavaan); library(jsonlite)})
items <- HolzingerSwineford1939[paste0("x", 1:9)]
cases <- lapply(2:5, function(m) {
  set.seed(1)
  best <- factanal(items, m, rotation = "none", control = list(nstart = 200, opt = list(factr = 1e2)))
  list(n_factors = m, objective = unname(best$criteria["objective"]),
       uniquenesses = unname(best$uniquenesses))
})
made <- list(made_by = R.version.string, data = "Holzinger and Swineford, nine items", cases = cases)
write(toJSON(made, digits = 12, auto_unbox = TRUE), "tests/reference/efa_starts.json")
