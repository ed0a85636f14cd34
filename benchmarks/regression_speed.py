"""How long a corrected regression of 100,000 rows, 21 covariates and 5,000 clusters takes.

tools/bench.sh regression_speed [--rows 100000]
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
import pandas as pd

import imagesasdata as iad

COVARIATES, CLUSTERS, LABELS = 20, 5000, 2000


def main() -> None:
    """Print the seconds of each family."""
    parser = argparse.ArgumentParser(prog="tools/bench.sh regression_speed", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    n = parser.parse_args().rows
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(n, COVARIATES)), columns=[f"x{j}" for j in range(COVARIATES)])
    frame["protest"] = rng.integers(0, 2, n)
    eta = 0.2 + 0.5 * frame["protest"] - 0.3 * frame["x0"]
    frame["gaussian"] = eta + rng.normal(size=n)
    frame["binomial"] = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
    frame["poisson"] = rng.poisson(np.exp(eta))
    frame["negbin"] = rng.poisson(np.exp(eta) * rng.gamma(2, 0.5, n))
    frame["seen"] = np.where(rng.random(n) < 0.85, frame["protest"], 1 - frame["protest"])
    frame["coded"] = frame["protest"].where(rng.random(n) < LABELS / n)
    frame = frame.assign(pi=LABELS / n, account=rng.integers(0, CLUSTERS, n))
    others = " + ".join(f"x{j}" for j in range(COVARIATES))
    for family in ("gaussian", "binomial", "poisson", "negbin"):
        start = time.perf_counter()
        iad.regress(
            f"{family} ~ protest + {others}",
            frame,
            {"protest": "seen"},
            {"protest": "coded"},
            family=family,
            sampling_prob="pi",
            cluster="account",
        )
        print(f"{family:<10}{time.perf_counter() - start:6.1f} s", flush=True)


if __name__ == "__main__":
    main()
