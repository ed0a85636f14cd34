# The outcome and the covariates of an R formula, with the values of the predicted variables that Python asks for.

# `used` and `outcome` are the names of the formula's variables, and `columns` those that were not predicted, of all
# rows of the data: a variable that the data lacks may be where the formula was written, as in lm().
read_formula <- function(formula, data, predicted, call) {
  if (rlang::is_string(formula)) {
    formula <- stats::as.formula(formula, rlang::caller_env(2))
  }
  if (!inherits(formula, "formula") || length(formula) != 3) {
    given <- if (inherits(formula, "formula")) paste0("`", deparse1(formula), "`") else kind(formula)
    abort("argument_invalid", sprintf("`formula` is %s; it needs an outcome, as in likes ~ protest.", given), call)
  }
  names <- all.vars(formula)
  if ("." %in% names) {
    text <- "`formula` has a dot, which would take predictions and hand labels for covariates. Name the covariates."
    abort("argument_invalid", text, call)
  }
  if (!is.null(attr(stats::terms(formula), "offset"))) {
    text <- paste(
      "`formula` has an offset, for which there is no correction. Make it a covariate, such as log(days);",
      "in a linear model, subtract it from the outcome."
    )
    abort("argument_invalid", text, call)
  }
  plain <- setdiff(names, names(predicted))
  inside <- intersect(plain, names(data))
  outside <- setdiff(plain, inside)
  found <- lapply(rlang::set_names(outside), get0, envir = environment(formula))
  # What is nowhere, Python misses as a column. Other lengths are arguments, as the `k` of poly(x, k).
  absent <- vapply(found, is.null, TRUE)
  as_long <- vapply(found, function(value) is.atomic(value) && NROW(value) == nrow(data), TRUE)
  columns <- c(as.list(data)[inside], found[as_long])
  list(
    formula = formula,
    used = c(names(columns), outside[absent], intersect(names(predicted), names)),
    outcome = all.vars(formula[[2]]),
    columns = columns
  )
}

# The predicted variables of which the formula makes a factor, or text, as factor(k) does: their numbers are categories.
made_factors <- function(read, labels) {
  variables <- as.list(attr(stats::terms(read$formula), "variables"))[-1]
  made <- function(variable) {
    data <- c(read$columns, labels)
    value <- tryCatch(suppressWarnings(eval(variable, data, environment(read$formula))), error = function(cnd) NULL)
    is.factor(value) || is.character(value)
  }
  Filter(function(name) any(vapply(Filter(function(v) name %in% all.vars(v), variables), made, TRUE)), names(labels))
}

# `ask()` is what Python calls. `raised()` has the error of R in it, of which Python would keep the text only, and
# `made()` what the first call made and all others keep, as predict() does: terms with the numbers of poly(), scale() or
# ns(), levels, and contrasts.
#
# `columns` are as in read_formula(), and `labels` the hand labels of each predicted variable, which say of what kind it
# is.
formula_design <- function(formula, columns, labels, family, call) {
  raised <- NULL
  base <- NULL
  made <- NULL
  matrices <- function(values) {
    if (is.null(base)) {
      base <<- lapply(columns, take_rows, values$.row)
    }
    data <- c(base, Map(as_labelled, as.list(values)[names(labels)], labels))
    first <- is.null(made)
    if (first) {
      made <<- first_frame(formula, data, as.list(values)[names(labels)], labels)
    }
    # What there is to warn of was said the first time; and contrasts of C(), which are dropped here, are kept.
    frame <- suppressWarnings(frame_of(made$terms, data, made$xlevels))
    y <- outcome_of(stats::model.response(frame), made$levels, family, call)
    x <- matrix_of(made$terms, frame, made$contrasts)
    if (first) {
      made$names <<- make.unique(colnames(x))
    }
    check_matrix(x, made$names, call)
    answer <- c(list(y), lapply(seq_along(made$names), function(j) as.vector(x[, j])))
    structure(
      answer,
      names = c("(outcome)", made$names),
      class = "data.frame",
      row.names = .set_row_names(length(y))
    )
  }
  ask <- function(asked) {
    tryCatch(
      asked$answer(table_to_python(matrices(table_to_r(asked$values())))),
      error = function(cnd) {
        raised <<- cnd
        stop(cnd)
      }
    )
    invisible(NULL)
  }
  list(ask = ask, raised = function() raised, made = function() made)
}

# A level that no row has would be a column of zeros.
take_rows <- function(column, rows) {
  if (length(dim(column)) == 2) {
    return(column[rows, , drop = FALSE])
  }
  column <- column[rows]
  if (is.factor(column)) droplevels(column) else column
}

# Values of a predicted variable as the hand labels are: a factor with its order of levels, text, TRUE and FALSE, or
# numbers. A share, which an expected label can be, stays a number.
as_labelled <- function(value, label) {
  if (is.factor(value)) {
    return(category_as_labelled(value, label))
  }
  if (is.logical(label) && all(value %in% 0:1)) {
    return(as.logical(value))
  }
  if (is.factor(label) && all(c(value, levels(label)) %in% 0:1)) {
    return(factor(value, union(levels(label), 0:1), ordered = is.ordered(label)))
  }
  value
}

category_as_labelled <- function(value, label) {
  text <- as.character(value)
  if (is.factor(label)) {
    levels <- union(intersect(levels(label), levels(value)), levels(value))
    return(factor(text, levels, ordered = is.ordered(label)))
  }
  if (is.numeric(label)) as.numeric(text) else text
}

# Terms are those of the first values that Python asks for, its predictions. Levels are also what was never predicted:
# some row may have it by hand.
first_frame <- function(formula, data, values, labels) {
  terms <- attr(frame_of(formula, data), "terms")
  rows <- length(values[[1]])
  possible <- Map(function(value, label) rep_len(possible_values(value, label), rows), values, labels)
  whole <- frame_of(terms, c(data[setdiff(names(data), names(labels))], Map(as_labelled, possible, labels)))
  outcome <- stats::model.response(whole)
  list(
    terms = terms,
    xlevels = stats::.getXlevels(terms, whole),
    contrasts = attr(matrix_of(terms, whole), "contrasts"),
    levels = if (is.factor(outcome)) levels(outcome)
  )
}

possible_values <- function(value, label) {
  if (is.factor(value)) {
    return(factor(levels(value), levels(value)))
  }
  unique(c(if (is.numeric(label)) label[!is.na(label)] else c(0, 1), value))
}

frame_of <- function(terms, data, xlevels = NULL) {
  data <- structure(data, class = "data.frame", row.names = .set_row_names(NROW(data[[1]])))
  stats::model.frame(terms, data, na.action = stats::na.pass, xlev = xlevels)
}

# Without the names of rows, which cost more memory than the numbers.
matrix_of <- function(terms, frame, contrasts = NULL) {
  categories <- names(frame)[!vapply(frame, is.numeric, TRUE)]
  x <- stats::model.matrix(terms, frame, contrasts.arg = contrasts[intersect(names(contrasts), categories)])
  rownames(x) <- NULL
  x
}

check_matrix <- function(x, names, call) {
  if (length(names) == 0) {
    abort("argument_invalid", "`formula` has no covariate and no intercept.", call)
  }
  if (ncol(x) != length(names)) {
    text <- paste(
      "The formula makes %d columns of some values of the predicted variables and %d of others.",
      "Keep the intercept, or give hand labels as 0 and 1."
    )
    abort("argument_invalid", sprintf(text, length(names), ncol(x)), call)
  }
}

# As in glm(): of a factor the first level is 0, and anything else 1.
outcome_of <- function(outcome, levels, family, call) {
  if (NCOL(outcome) > 1) {
    text <- paste(
      "The outcome of the formula has %d columns; it must be one.",
      "Of successes and failures make a row for each trial, or a row for each outcome with `weights`."
    )
    abort("argument_invalid", sprintf(text, NCOL(outcome)), call)
  }
  if (is.factor(outcome)) {
    if (length(levels) > 2 && !identical(family, "binomial")) {
      text <- "The outcome of the formula is a factor with %d levels; it must be numbers, or have two levels."
      abort("argument_invalid", sprintf(text, length(levels)), call)
    }
    return(as.double(as.character(outcome) != levels[[1]]))
  }
  if (is.character(outcome)) {
    text <- "The outcome of the formula is text. Make it, or its hand labels, numbers, or a factor (first level: 0)."
    abort("argument_invalid", text, call)
  }
  if (!is.numeric(outcome) && !is.logical(outcome)) {
    abort("argument_invalid", sprintf("The outcome of the formula is %s; it must be numbers.", kind(outcome)), call)
  }
  as.double(outcome)
}
