"""How regressions with an intercept for each of many groups hold: by dummies, and by ``absorb=``.

    tools/bench.sh regression_groups [--replications 300]

Posts of accounts that differ in what they show and in what they are liked; some are labelled by hand, by simple random
sampling; predictions are right in 85 percent. The true coefficient is 1. Dummies are tried where they can be fitted.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
import pandas as pd

import imagesasdata as iad

POSTS, Z = 3000, 1.959963984540054
SIZES = ((250, 200), (250, 300), (100, 300), (50, 500), (20, 300))


def posts(accounts: int, labels: int, seed: int) -> pd.DataFrame:
    """Draw posts."""
    rng = np.random.default_rng(seed)
    account = rng.integers(0, accounts, POSTS)
    of_account = rng.normal(size=accounts)[account]
    protest = (rng.normal(size=POSTS) + of_account / 2 > 0.25).astype(float)
    frame = pd.DataFrame({"account": account, "protest": protest, "z": rng.normal(size=POSTS)})
    frame["likes"] = 1 + protest - 0.3 * frame["z"] + of_account + rng.normal(size=POSTS)
    frame["seen"] = np.where(rng.random(POSTS) < 0.85, protest, 1 - protest)
    frame["coded"] = np.where(rng.permutation(POSTS) < labels, protest, np.nan)
    return frame.assign(pi=labels / POSTS)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="tools/bench.sh regression_groups", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--replications", type=int, default=300)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    ways: dict[str, dict[str, str]] = {
        "absorb": {"absorb": "account"},
        "absorb, cluster": {"absorb": "account", "cluster": "account"},
        "dummies": {},
    }
    print(f"{'groups':>6}{'labels':>8}  {'':<26}{'mean':>7}{'sd':>7}{'error':>7}{'covers':>8}")
    for accounts, labels in SIZES:
        found: dict[str, list[tuple[float, float]]] = {}
        for seed in range(options.replications):
            frame = posts(accounts, labels, seed)
            for way, more in ways.items():
                formula = "likes ~ protest + z" if more else "likes ~ protest + z + C(account)"
                if not more and (accounts > 50 or seed >= 60):
                    continue
                fitted = iad.regress(
                    formula, frame, {"protest": "seen"}, {"protest": "coded"}, sampling_prob="pi", repeats=1, **more
                )
                found.setdefault(f"corrected, {way}", []).append((fitted.params["protest"], fitted.bse["protest"]))
                alone = fitted.estimate_of("labels")
                if way == "absorb" and alone is not None:
                    found.setdefault("labels alone", []).append((alone[0][0], float(np.sqrt(alone[1][0, 0]))))
        for name, each in found.items():
            estimate, error = np.array(each).T
            numbers = f"{estimate.mean():7.3f}{estimate.std():7.3f}{error.mean():7.3f}"
            print(
                f"{accounts:6}{labels:8}  {name:<26}{numbers}{(abs(estimate - 1) < Z * error).mean():8.3f}", flush=True
            )


if __name__ == "__main__":
    main()
