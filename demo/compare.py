"""Show that shell, Python and R gave the same predictions; exit 1 if they did not: `python compare.py FILE...`."""

import sys
from pathlib import Path

import pandas as pd

# Probabilities are float32 numbers, and a CSV holds them as decimal text.
TOLERANCE = 1e-6


def read(file: str) -> pd.DataFrame:
    frame = pd.read_csv(file) if file.endswith(".csv") else pd.read_parquet(file)
    return frame.assign(image=[Path(path).name for path in frame["image"]], label=frame["label"].astype(str))


def compare(files: list[str]) -> bool:
    first, *others = files
    reference = read(first)
    good = bool(reference["error"].isna().all()) and len(reference) > 0
    print(f"{first:16} {len(reference)} rows, {int(reference['error'].notna().sum())} failed")
    for file in others:
        frame = read(file)
        rows = list(frame["image"]) == list(reference["image"]) and list(frame.columns) == list(reference.columns)
        labels = rows and list(frame["label"]) == list(reference["label"])
        difference = float((frame["prob"] - reference["prob"]).abs().max()) if rows else float("nan")
        same = labels and difference <= TOLERANCE
        good = good and same
        verdict = "the same" if same else "NOT THE SAME"
        print(
            f"{file:16} {verdict}: rows and columns {'equal' if rows else 'differ'}, "
            f"labels {'identical' if labels else 'differ'}, largest difference in prob {difference:.1e}"
        )
    return good


if __name__ == "__main__":
    sys.exit(0 if compare(sys.argv[1:]) else 1)
