"""How often intervals cover the truth: predictions taken for labels, labels alone, corrected.

    python benchmarks/regression.py --replications 500

Photographs of a population show something or not, a classifier says so with errors, and some are labelled by hand. Each
line of the table is one setting: which side of the model is predicted, the family, the accuracy, whether errors depend
on another covariate, whether the chance of being labelled does, and whether there are clusters. The columns are the
share of 95 percent intervals that cover the true coefficient of ``d`` (of ``z`` where the outcome is predicted), and
the mean width of the corrected interval over that of the labels alone.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from imagesasdata.errors import ImagesAsDataError
from imagesasdata.regression.crossfit import Variable
from imagesasdata.regression.fit import regress_arrays

Floats = npt.NDArray[np.float64]
ROWS, GROUPS, SLOPES = 3000, 150, (0.2, 0.5, -0.3)
SHARE, ALIKE = 0.4, 0.2  # of rows that show it; how alike the rows of a cluster are in it
FAMILIES = ("gaussian", "binomial", "poisson", "negbin")
WORDS = ("side", "family", "accuracy", "errors", "sampling", "clusters")
WAYS = ("naive", "labels", "corrected")
Z = 1.959963984540054


class Setting(NamedTuple):
    """What is simulated."""

    side: str
    family: str
    accuracy: float
    dependent: bool
    unequal: bool
    clusters: bool

    def words(self) -> tuple[str, ...]:
        """Return what the table calls it."""
        return (
            self.side,
            self.family,
            f"{self.accuracy:g}",
            "dependent" if self.dependent else "random",
            "unequal" if self.unequal else "equal",
            "clusters" if self.clusters else "none",
        )


def settings() -> Iterator[Setting]:
    """Yield every setting."""
    for side, family, accuracy, *rest in itertools.product(
        ("covariate", "outcome"), FAMILIES, (0.7, 0.85, 0.95), (False, True), (False, True), (False, True)
    ):
        yield Setting(side, family, accuracy, *rest)


def alike(cluster: npt.NDArray[np.int64], share: float, rng: np.random.Generator) -> Floats:
    """Draw from the standard normal distribution so that rows of a cluster are correlated by `share`."""
    return np.sqrt(1 - share) * rng.normal(size=ROWS) + np.sqrt(share) * rng.normal(size=GROUPS)[cluster]


def outcome(family: str, eta: Floats, rng: np.random.Generator, luck: Floats | None = None) -> Floats:
    """Draw an outcome; its distribution is the same whether `luck`, standard normal, is given or drawn."""
    if luck is not None:
        if family == "gaussian":
            return eta + luck
        below, mu = stats.norm.cdf(luck), np.exp(eta)
        if family == "binomial":
            return (below < mu / (1 + mu)).astype(float)
        counts = stats.poisson(mu) if family == "poisson" else stats.nbinom(2, 2 / (2 + mu))
        return np.asarray(counts.ppf(below), float)
    if family == "gaussian":
        return eta + rng.normal(size=len(eta))
    if family == "binomial":
        return (rng.random(len(eta)) < 1 / (1 + np.exp(-eta))).astype(float)
    return rng.poisson(np.exp(eta) * (rng.gamma(2, 0.5, len(eta)) if family == "negbin" else 1)).astype(float)


def wrong(truth: Floats, right: npt.NDArray[np.bool_], family: str, rng: np.random.Generator) -> Floats:
    """Return predictions: where they are not right another outcome's value, or the other class."""
    return np.where(right, truth, 1 - truth if family == "binomial" else rng.permutation(truth))


def once(setting: Setting, labels: int, repeats: int, seed: int) -> dict[str, tuple[float, float]]:
    """Return estimate and standard error of the coefficient of interest, for each of the three ways."""
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, GROUPS, ROWS)
    if setting.clusters:  # their rows are alike in z, in what they show, and in what the model leaves to chance
        z = alike(cluster, 0.5, rng)
        d = (alike(cluster, ALIKE, rng) < stats.norm.ppf(SHARE)).astype(float)
        luck = alike(cluster, ALIKE, rng)
    else:
        z, d, luck = rng.normal(size=ROWS), (rng.random(ROWS) < SHARE).astype(float), None
    y = outcome(setting.family, SLOPES[0] + SLOPES[1] * d + SLOPES[2] * z, rng, luck)
    # Errors that depend on z: fewer below 0, more above, as many in all.
    swing = min(0.12, 1 - setting.accuracy) * np.sign(z) if setting.dependent else 0.0
    right = rng.random(ROWS) < setting.accuracy - swing
    prob = np.full(ROWS, labels / ROWS)
    if setting.unequal:
        prob = prob * np.where(z > 0, 1.5, 0.5)
    labelled = rng.random(ROWS) < prob
    covariate = setting.side == "covariate"
    truth, kind = (d, "binomial") if covariate else (y, setting.family)
    variable = Variable("it", np.where(labelled, truth, np.nan), wrong(truth, right, kind, rng))

    def design(values: Mapping[str, npt.NDArray[Any]]) -> tuple[Floats, Floats]:
        it = np.asarray(values["it"], float)
        return (y if covariate else it), np.column_stack([np.ones(ROWS), it if covariate else d, z])

    count = setting.family in ("poisson", "negbin")
    others = np.column_stack([np.log1p(y) if count else y, z]) if covariate else np.column_stack([d, z])
    found = regress_arrays(
        design,
        ("const", "d", "z"),
        [variable],
        others,
        prob,
        cluster if setting.clusters else None,
        family=setting.family,
        repeats=repeats,
        seed=seed,
    )
    j = 1 if covariate else 2
    estimates = {which: found.estimate_of(which) for which in WAYS}
    return {which: (float(of[0][j]), float(np.sqrt(of[1][j, j]))) for which, of in estimates.items() if of is not None}


def covered(setting: Setting, options: argparse.Namespace) -> dict[str, float]:
    """Return the numbers of one line of the table."""
    truth = SLOPES[1 if setting.side == "covariate" else 2]
    first = 1_000_000 * (1 + list(settings()).index(setting)) + options.seed  # chance is another one in each line
    hits: dict[str, list[bool]] = {which: [] for which in WAYS}
    errors: dict[str, list[float]] = {which: [] for which in WAYS}
    failed = 0
    for i in range(options.replications):
        try:
            found = once(setting, options.labels, options.repeats, first + i)
        except ImagesAsDataError:
            failed += 1
            continue
        for which, (estimate, error) in found.items():
            hits[which].append(abs(estimate - truth) < Z * error)
            errors[which].append(error)
    shares = {which: float(np.mean(hits[which])) if hits[which] else np.nan for which in WAYS}
    both = errors["labels"] and errors["corrected"]
    return {
        **shares,
        "width": float(np.mean(errors["corrected"]) / np.mean(errors["labels"])) if both else np.nan,
        "failed": failed,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=500)
    parser.add_argument("--labels", type=int, default=500, help="expected number of labelled rows")
    parser.add_argument("--repeats", type=int, default=3, help="random splits into folds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help='words that a line must have, for instance "outcome poisson 0.85"')
    parser.add_argument("--csv", type=Path, help="add each line to this file; lines that are there are not made again")
    options = parser.parse_args()
    done = pd.read_csv(options.csv, dtype={"accuracy": str}) if options.csv and options.csv.exists() else None
    rows: list[dict[Any, Any]] = [] if done is None else done.to_dict("records")
    print("  ".join(f"{title:<9}" for title in (*WORDS, *WAYS, "width", "failed")))
    for setting in settings():
        words = setting.words()
        if not set(options.only.split()) <= set(words):
            continue
        row = next((row for row in rows if tuple(row[title] for title in WORDS) == words), None)
        if row is None:
            row = {**dict(zip(WORDS, words, strict=True)), **covered(setting, options)}
            rows.append(row)
            if options.csv:
                pd.DataFrame(rows).to_csv(options.csv, index=False)
        numbers = [f"{row[title]:.3f}" for title in (*WAYS, "width")]
        print("  ".join(f"{cell:<9}" for cell in (*words, *numbers, f"{row['failed']:g}")), flush=True)
    summary = pd.DataFrame(rows)
    print(f"\n{len(summary)} settings, coverage: mean, least, most; how many from .93 to .97")
    for which in WAYS:
        shares = summary[which]
        inside = int(shares.between(0.93, 0.97).sum())
        print(f"{which:<10} {shares.mean():.3f} {shares.min():.3f} {shares.max():.3f} {inside:4}")
    print(
        f"width of the corrected intervals over those of the labels: {summary['width'].min():.2f} to "
        f"{summary['width'].max():.2f}"
    )


if __name__ == "__main__":
    main()
