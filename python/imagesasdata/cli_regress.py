"""The verbs of the command ``iad`` about regressions on predicted variables."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from .cli_train import Add, findings_option, finish, numbers, show_warnings, verb
from .errors import ArgumentInvalid
from .tablefiles import TABLE_SUFFIXES, read_table

FAMILIES = ("gaussian", "binomial", "poisson", "negbin")
METHODS = ("dsl", "ppi", "naive", "labels")


def add_verbs(add: Add) -> None:
    """Add the verbs; `add` is ``add_parser`` of the command's subparsers."""
    fit = verb(add, "regress", "fit a regression with predicted variables, corrected for their errors", _regress)
    fit.add_argument("data", help=f"a table file ({', '.join(sorted(TABLE_SUFFIXES))})")
    fit.add_argument("formula", help='for instance "likes ~ protest + followers"')
    _variables(fit)
    fit.add_argument("--family", default="gaussian", choices=FAMILIES, help="(default: %(default)s)")
    fit.add_argument("--method", default="dsl", choices=METHODS, help="(default: %(default)s)")
    fit.add_argument("--absorb", help="the column of groups with an intercept of their own, of a linear model")
    _sampling(fit)

    share = verb(add, "share", "estimate how many rows show something, corrected for errors of predictions", _share)
    share.add_argument("data", help=f"a table file ({', '.join(sorted(TABLE_SUFFIXES))})")
    _variables(share)
    share.add_argument("--by", help="a column of groups: a row for each of them too")
    share.add_argument("--method", default="dsl", choices=("dsl", "ppi"), help="(default: %(default)s)")
    _sampling(share)

    power = verb(add, "power", "say how large standard errors would be with more hand labels", _power)
    power.add_argument("result", help="a .zip that iad regress wrote with --save")
    power.add_argument("--n-labelled", type=int, nargs="+", metavar="N", help="numbers of labels")
    power.add_argument("--terms", nargs="+", help="which parameters (default: all)")
    power.add_argument("--std-error", type=float, help="the standard error that is wanted: how many labels give it")
    findings_option(power)


def _variables(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--predicted",
        action="append",
        required=True,
        metavar="VARIABLE=COLUMN",
        help="a predicted variable and its column of predictions; once for each column prob_<class> of a category",
    )
    parser.add_argument(
        "--labelled", action="append", required=True, metavar="VARIABLE=COLUMN", help="its column of hand labels"
    )


def _sampling(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sampling-prob", help="the column with the probability that a row was chosen to be labelled")
    parser.add_argument("--cluster", help="the column with the cluster of a row")
    parser.add_argument("--weights", help="the column with the weight of a row")
    parser.add_argument("--folds", type=int, default=5, help="in which labels are predicted (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=10, help="random splits into folds (default: %(default)s)")
    numbers(parser)
    findings_option(parser)


def named(pairs: Sequence[str], option: str) -> dict[str, list[str]]:
    """Return ``["a=x", "a=y", "b=z"]`` as ``{"a": ["x", "y"], "b": ["z"]}``.

    Raises
    ------
    ArgumentInvalid
        One of them has no "=", or nothing before or after it.
    """
    found: dict[str, list[str]] = {}
    for pair in pairs:
        name, sign, column = pair.partition("=")
        if not (name and sign and column):
            raise ArgumentInvalid(f'`{option}` is "{pair}"; it must be VARIABLE=COLUMN, as in protest=prob_protest.')
        found.setdefault(name, []).append(column)
    return found


def _given(options: argparse.Namespace) -> dict[str, Any]:
    given = {k: v for k, v in vars(options).items() if k not in ("run", "save", "data", "predicted", "labelled")}
    predicted, labelled = named(options.predicted, "--predicted"), named(options.labelled, "--labelled")
    given["predicted"] = {name: columns[0] if len(columns) == 1 else columns for name, columns in predicted.items()}
    twice = [name for name, columns in labelled.items() if len(columns) > 1]
    if twice:
        raise ArgumentInvalid(f'`--labelled` names several columns for "{twice[0]}"; hand labels are in one.')
    given["labelled"] = {name: columns[0] for name, columns in labelled.items()}
    given["data"] = read_table(options.data)
    return given


def _call(name: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        import imagesasdata as iad

        show_warnings()
        return finish(getattr(iad, name)(**_given(options)), options)

    return run


_regress, _share = _call("regress"), _call("estimate_share")


def _power(options: argparse.Namespace) -> int:
    import imagesasdata as iad

    show_warnings()
    result = iad.Regression.load(options.result)
    return finish(iad.power_regress(result, options.n_labelled, options.terms, options.std_error), options)
