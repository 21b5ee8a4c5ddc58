#!/usr/bin/env Rscript
# Lasso by glmnet, timed from the start of the process.
#
# usage: glmnet.R BINARY LAMBDAS THRESHOLD STARTED OUT
#
#   BINARY     the file of bench/peers/data.ts: int32 rows, columns, nonzeros (-1: dense), 0; float64
#              labels, values; int32 rows of the values, starts of the columns. It takes less time
#              than any text would: in glmnet's favour.
#   LAMBDAS    falling, with commas; the last one alone when there is one: then glmnet gets ten on
#              the way to it from the largest that matters, as its manual asks
#   STARTED    seconds since 1970 at which the harness started this process
#   OUT        the coefficients: float64, one vector for each lambda
#
# Prints one JSON line: seconds to load, to fit, and both. No intercept, nothing is standardised.
arguments <- commandArgs(trailingOnly = TRUE)
suppressPackageStartupMessages({ library(Matrix); library(glmnet) })
lambdas <- as.numeric(strsplit(arguments[2], ",")[[1]])
threshold <- as.numeric(arguments[3])
started <- as.numeric(arguments[4])
file <- file(arguments[1], "rb")
head <- readBin(file, "integer", 4)
y <- readBin(file, "double", head[1])
if (head[3] < 0) {
  x <- matrix(readBin(file, "double", as.double(head[1]) * head[2]), head[1], head[2])
} else {
  values <- readBin(file, "double", head[3])
  rows <- readBin(file, "integer", head[3])
  starts <- readBin(file, "integer", head[2] + 1)
  x <- new("dgCMatrix", i = rows, p = starts, x = values, Dim = head[1:2])
}
close(file)
loaded <- as.numeric(Sys.time())
glmnet.control(fdev = 0, devmax = 1)
wanted <- length(lambdas)
if (wanted == 1) {
  largest <- max(abs(as.vector(crossprod(x, y)))) / head[1]
  lambdas <- exp(seq(log(largest), log(lambdas), length.out = 10))
}
fit <- glmnet(x, y, lambda = lambdas, standardize = FALSE, intercept = FALSE, thresh = threshold,
  maxit = 1e8)
end <- as.numeric(Sys.time())
cat(sprintf('{"load":%.6f,"train":%.6f,"wall":%.6f}\n', loaded - started, end - loaded, end - started))
beta <- fit$beta[, (ncol(fit$beta) - wanted + 1):ncol(fit$beta), drop = FALSE]
writeBin(as.double(as.matrix(beta)), arguments[5])
