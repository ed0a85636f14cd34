"""The outcome and the covariates of a formula, made by formulaic, with values of the predicted variables in it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..errors import ArgumentInvalid, quoted
from .columns import Given
from .crossfit import Variable
from .dsl import Design
from .fit import Values
from .variables import as_days


class Formula:
    """A formula as text, read.

    Attributes
    ----------
    used, outcome : list of str
        The columns that it needs, and those of its outcome.
    categories : set of str
        The columns of which it makes a category by ``C()``.
    alone : set of str
        The columns that stand in it without a function, among other parts of it.
    """

    def __init__(self, text: str) -> None:
        import formulaic  # half a second, which R does not need

        try:
            self.parsed = formulaic.Formula(text)
        except (formulaic.errors.FormulaicError, SyntaxError) as problem:
            if "`.` operator" in str(problem):
                raise ArgumentInvalid(
                    "`formula` has a dot, which would take predictions and hand labels for covariates. Name the "
                    "covariates."
                ) from None
            raise ArgumentInvalid(f'`formula` is "{text}", which cannot be read: {_first_line(problem)}') from None
        sides: list[Any] = [getattr(self.parsed, side, None) for side in ("lhs", "rhs")]
        if None in sides:
            raise ArgumentInvalid(f'`formula` is "{text}"; it needs an outcome, as in "likes ~ protest".')
        if any(isinstance(side, tuple) for side in sides):
            raise ArgumentInvalid(
                f'`formula` is "{text}"; it must have one part. Groups that have each an intercept of their own are '
                'not written after "|" but named in `absorb`.'
            )
        left, right = ([_columns(factor) for term in side for factor in term.factors] for side in sides)
        self.outcome = sorted(set().union(*(names for names, _ in left)))
        self.used = sorted(set().union(*(names for names, _ in left + right)))
        self.categories: set[str] = set().union(*(names for _, names in left + right))
        self.alone = {factor.expr for side in sides for term in side for factor in term.factors}


def _columns(factor: Any) -> tuple[set[str], set[str]]:
    """Return the columns that a factor needs, and which of them are inside ``C()``."""
    if factor.eval_method.value == "literal":
        return set(), set()
    if factor.eval_method.value == "lookup":
        return {factor.expr}, set()
    quoted_names: list[str] = []

    def alias(found: re.Match[str]) -> str:
        quoted_names.append(found[1])
        return f"_{len(quoted_names) - 1}_"

    tree = ast.parse(re.sub("`([^`]*)`", alias, factor.expr), mode="eval")
    aliases = {f"_{i}_": name for i, name in enumerate(quoted_names)}
    inside = [_names(node, aliases) for node in ast.walk(tree) if _calls(node, "C")]
    return _names(tree, aliases), set().union(*inside)


def _names(node: ast.AST, aliases: Mapping[str, str]) -> set[str]:
    """Return the columns in an expression: its names but for those of functions, and what ``Q()`` quotes."""
    from formulaic.transforms import TRANSFORMS

    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
    functions = {id(call.func) for call in calls}
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and id(each) not in functions}
    texts = {
        str(arg.value) for call in calls if _calls(call, "Q") for arg in call.args if isinstance(arg, ast.Constant)
    }
    return {aliases.get(name, name) for name in names - set(TRANSFORMS)} | texts


def _calls(node: ast.AST, function: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function


def _first_line(problem: Exception) -> str:
    return str(problem).strip().splitlines()[0]


class Matrices:
    """Makes the outcome and the covariates of a formula, given the values of the predicted variables.

    Attributes
    ----------
    names : list of str
        The names of the covariates, after the first call.
    """

    def __init__(self, formula: Formula, given: Given) -> None:
        self._formula = formula
        self._variables = {variable.name: variable for variable in given.variables}
        frame = given.frame
        self._base = frame.assign(**{name: as_days(frame[name]) for name in formula.alone if name in frame})
        self._spec: Any = None
        self.names: list[str] = []

    def __call__(self, values: Values) -> Design:
        """Return outcome and covariates.

        Means and knots of a transformation stay those of the first values. Levels are all that a row may have.
        """
        filled = self._filled({name: _column(self._variables[name], values[name]) for name in values})
        if self._spec is None:
            first = _made(self._formula.parsed.get_model_matrix, filled).model_spec
            blank = first._map(lambda side: side.update(structure=None, encoder_state={}), as_type=type(first))
            possible = {name: _possible(self._variables[name], filled[name]) for name in values}
            self._spec = _made(blank.get_model_matrix, self._filled(possible)).model_spec
        made = _made(self._spec.get_model_matrix, filled)
        self.names = [str(name) for name in made.rhs.columns]
        return _outcome(made.lhs), np.asarray(made.rhs, float)

    def _filled(self, columns: dict[str, Any]) -> pd.DataFrame:
        return self._base.assign(**columns)


def _column(variable: Variable, values: Any) -> Any:
    if variable.numeric:
        return values.astype(float)
    return pd.Categorical(values, categories=list(variable.levels)) if variable.levels else values


def _possible(variable: Variable, values: pd.Series[Any]) -> Any:
    """Return as many values, among them all levels that a row may have by prediction or by hand."""
    if not (variable.levels or variable.binary):
        return values
    levels = np.array(variable.levels, dtype=object) if variable.levels else np.array([0.0, 1.0])
    return _column(variable, np.resize(levels, len(values)))


def _made(make: Callable[..., Any], frame: pd.DataFrame) -> Any:
    """Return matrices, or raise `ArgumentInvalid`."""
    from formulaic.errors import DataMismatchWarning, FormulaicError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DataMismatchWarning)
            return make(frame, na_action="ignore")
    except DataMismatchWarning:
        raise ArgumentInvalid(
            "A category that the formula makes has values outside its levels. Make the category a column of `data`, "
            "of labels and of predictions, or name all its levels."
        ) from None
    except (FormulaicError, TypeError, ValueError) as problem:
        raise ArgumentInvalid(f"`formula` cannot be evaluated: {_first_line(problem)}") from problem


def _outcome(made: Any) -> Any:
    """Return the outcome: of a category with two levels 0 for the first and 1 for the second."""
    if any(kind.value == "categorical" for kind, _ in made.model_spec.encoder_state.values()):
        if made.shape[1] > 2:
            raise ArgumentInvalid(
                f"The outcome of the formula is a category with {made.shape[1]} levels ({quoted(made.columns)}); it "
                "must be numbers, or have two levels."
            )
        return np.asarray(made, float)[:, 1:].sum(axis=1)
    if made.shape[1] != 1:
        raise ArgumentInvalid(f"The outcome of the formula has {made.shape[1]} columns; it must be one number.")
    return np.asarray(made, float)[:, 0]
