"""Findings made by hand, with the tables that evaluations have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from imagesasdata.findings import Findings
from imagesasdata.regression.power import power_regress
from imagesasdata.regression.regress import regress
from imagesasdata.regression.share import estimate_share

CLASSES = ("other", "police", "protest")
# File names that a page or a picture could trip over; all can be names of files.
HOSTILE = (
    "<script>alert(1)<\u2215script>.png",
    "$\\frac{1}{0}$ & $x^.png",
    'two\nlines "quoted" \u202egpj.png',
    "\N{GRINNING FACE}\N{ZERO WIDTH JOINER}\N{ROCKET} 猫.png",
    "a" * 251 + ".png",
)


def metric(metric: str, estimate: float | None, about: str | None = None, n: int = 60, **more: Any) -> dict[str, Any]:
    """One row of the table ``metrics``."""
    reach = 0.031 + 0.002 * (len(metric) % 7)
    low, high = (None, None) if estimate is None else (max(estimate - reach, 0.0), estimate + reach)
    if high is not None and metric not in ("log_loss", "mae", "rmse"):
        high = min(high, 1.0)
    row = {"metric": metric, "class": about, "estimate": estimate, "conf_low": low, "conf_high": high}
    return {**row, "n": n, "interval": "Wilson" if metric == "accuracy" else "bootstrap", **more}


def confusion(counts: np.ndarray, classes: Sequence[str], **more: Any) -> pd.DataFrame:
    """The table ``confusion`` for counts ``[k, k]``, a row for each hand label."""
    rows = [
        {**more, "truth": truth, "label": label, "n": int(counts[i, j])}
        for i, truth in enumerate(classes)
        for j, label in enumerate(classes)
    ]
    return pd.DataFrame(rows)


def regressions() -> tuple[Findings, Findings, Findings]:
    """A regression of few rows, a share by group, and what more labels would bring."""
    rng = np.random.default_rng(1)
    protest = rng.integers(0, 2, 400)
    frame = pd.DataFrame({"likes": protest + rng.normal(size=400), "city": ["a", "b"] * 200, "pi": 0.5})
    frame["seen"] = np.where(rng.random(400) < 0.9, protest, 1 - protest)
    frame["coded"] = np.where(rng.random(400) < 0.5, protest, np.nan)
    columns = ({"protest": "seen"}, {"protest": "coded"})
    found = regress("likes ~ protest", frame, *columns, sampling_prob="pi", repeats=1)
    share = estimate_share(frame, *columns, by="city", sampling_prob="pi", repeats=1)
    return found, share, power_regress(found)


def many_classes(k: int, seed: int = 1) -> Findings:
    """A confusion matrix of k classes, most photographs on its diagonal."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.4, (k, k)) * rng.integers(0, 2, (k, k)) + np.diag(rng.integers(20, 240, k))
    names = [f"class {i + 1} of the lot" for i in range(k)]
    facts = {"task": "single", "classes": names, "n": int(counts.sum())}
    return Findings.of("evaluation", facts, {"confusion": confusion(counts, names)})


def predictions(images: Sequence[str | None], seed: int = 1, classes: Sequence[str] = CLASSES) -> pd.DataFrame:
    """Predictions of a middling model."""
    rng = np.random.default_rng(seed)
    k = len(classes)
    codes = rng.integers(0, k, len(images))
    logits = rng.normal(size=(len(images), k)) + 2.2 * np.eye(k)[codes]
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = probs.argmax(axis=1)
    frame = pd.DataFrame(
        {
            "image": list(images),
            "truth": [classes[c] for c in codes],
            "label": pd.Categorical([classes[c] for c in labels], classes),
            "prob": probs.max(axis=1),
        }
    )
    for i, name in enumerate(classes):
        frame[f"prob_{name}"] = probs[:, i]
    frame["error"] = pd.Series([None] * len(images), dtype="object")
    return frame


def single(images: Sequence[str | None] | None = None, classes: Sequence[str] = CLASSES, **facts: Any) -> Findings:
    """An evaluation of exclusive classes."""
    table = predictions(images if images is not None else [f"photo{i}.jpg" for i in range(60)], classes=classes)
    counts = pd.crosstab(table["truth"], table["label"], dropna=False)
    counts = counts.reindex(index=classes, columns=classes, fill_value=0)
    right = float((table["truth"] == table["label"].astype(str)).mean())
    metrics = [
        metric("accuracy", right),
        metric("balanced_accuracy", right - 0.01),
        metric("kappa", right - 0.2),
        metric("macro_f1", right - 0.02),
        metric("roc_auc", 0.934),
        metric("brier", 0.231),
        metric("calibration_error", 0.049),
        metric("log_loss", 0.412),
    ]
    for i, name in enumerate(classes):
        metrics += [
            metric(m, 0.7 + 0.25 * i / len(classes) + 0.013 * j, name)
            for j, m in enumerate(("precision", "recall", "f1"))
        ]
        metrics.append(metric("roc_auc", 0.881 + 0.1 * i / len(classes), name))
    roc, pr, calibration = [], [], []
    for name in classes:
        truth, prob = (table["truth"] == name).to_numpy(), table[f"prob_{name}"].to_numpy()
        for threshold in [1.01, *sorted(prob, reverse=True)]:
            found = prob >= threshold
            true, false = int((found & truth).sum()), int((found & ~truth).sum())
            recall = true / max(truth.sum(), 1)
            roc.append((name, threshold, false / max((~truth).sum(), 1), recall))
            pr.append((name, threshold, recall, true / found.sum() if found.any() else 1.0))
        calibration += _bins(name, prob, truth)
    calibration += _bins(None, table["prob"].to_numpy(), (table["truth"] == table["label"].astype(str)).to_numpy())
    tables = {
        "metrics": pd.DataFrame(metrics),
        "confusion": confusion(counts.to_numpy(), classes),
        "roc": pd.DataFrame(roc, columns=["class", "threshold", "fpr", "tpr"]),
        "pr": pd.DataFrame(pr, columns=["class", "threshold", "recall", "precision"]),
        "calibration": pd.DataFrame(calibration),
        "predictions": table,
    }
    first = tables["metrics"].iloc[0]
    known = {
        "task": "single",
        "classes": list(classes),
        "n": len(table),
        "n_failed": 0,
        "conf_level": 0.95,
        "primary": "accuracy",
        **{key: float(first[key]) for key in ("estimate", "conf_low", "conf_high")},
        "baseline": 0.367,
        "ceiling": 0.93,
        **facts,
    }
    found = Findings.of("evaluation", known, tables)
    lines = (f"Evaluation of {len(table)} photographs, {len(classes)} classes", f"accuracy  {right:.3f}")
    return Findings(found.kind, found.facts, found.tables, lines, ("2 photographs <b>failed</b> & were left out.",))


def _bins(name: str | None, prob: np.ndarray, right: np.ndarray, count: int = 5) -> list[dict[str, Any]]:
    rows = []
    for part in np.array_split(np.argsort(prob), count):
        share = float(right[part].mean())
        reach = 1.96 * float(np.sqrt((share * (1 - share) + 0.02) / len(part)))
        low, high = max(0.0, share - reach), min(1.0, share + reach)
        rows.append(
            {"class": name, "prob": float(prob[part].mean()), "share": share, "conf_low": low, "conf_high": high}
            | {"n": len(part)}
        )
    return rows


def multi(images: Sequence[str], names: Sequence[str] = ("flag", "crowd", "sign")) -> Findings:
    """An evaluation of several attributes; the last photograph is not coded for the first one."""
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"image": list(images)})
    blocks, metrics = [], []
    for name in names:
        truth = rng.integers(0, 2, len(images)).astype(float)
        prob = np.clip(0.5 + (truth - 0.5) * 0.5 + rng.normal(0, 0.28, len(images)), 0.01, 0.99)
        if name == names[0]:
            truth[-1] = np.nan
        known = np.isfinite(truth)
        yes = prob >= 0.5
        table[f"truth_{name}"], table[name], table[f"prob_{name}"] = truth, yes, prob
        counts = np.array([[int(((truth == t) & (yes == p) & known).sum()) for p in (0, 1)] for t in (0, 1)])
        blocks.append(confusion(counts, ("no", "yes"), attribute=name))
        right = float(np.trace(counts) / counts.sum())
        metrics += [metric(m, right - 0.02 * j, name) for j, m in enumerate(("accuracy", "precision", "recall", "f1"))]
    table["error"] = pd.Series([None] * len(images), dtype="object")
    metrics.insert(0, metric("macro_f1", 0.71))
    facts = {"task": "multi", "classes": list(names), "n": len(images), "primary": "macro_f1", "estimate": 0.71}
    tables = {"metrics": pd.DataFrame(metrics), "confusion": pd.concat(blocks), "predictions": table}
    return Findings.of("evaluation", {**facts, "conf_low": 0.64, "conf_high": 0.77, "conf_level": 0.95}, tables)


def score(images: Sequence[str], names: Sequence[str] = ("violence", "beauty")) -> Findings:
    """An evaluation of scores."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"image": list(images)})
    metrics = []
    for i, name in enumerate(names):
        table[f"truth_{name}"] = rng.uniform(1, 7, len(images)).round(1)
        table[f"score_{name}"] = table[f"truth_{name}"] + rng.normal(0, 0.8, len(images))
        metrics += [metric(m, v - 0.1 * i, name) for m, v in (("r2", 0.61), ("correlation", 0.79), ("mae", 0.66))]
        metrics.append(metric("rmse", 0.91 + 0.1 * i, name))
    table["error"] = pd.Series([None] * len(images), dtype="object")
    facts = {"task": "score", "classes": list(names), "n": len(images), "primary": "mean r2", "estimate": 0.56}
    return Findings.of("evaluation", facts, {"metrics": pd.DataFrame(metrics), "predictions": table})


def curve() -> Findings:
    """A learning curve."""
    estimates = (0.612, 0.688, 0.741, 0.779, 0.803)
    table = pd.DataFrame(
        {
            "n": np.array([50, 100, 200, 400, 640]),
            "estimate": estimates,
            "conf_low": [e - w for e, w in zip(estimates, (0.06, 0.05, 0.04, 0.03, 0.02), strict=True)],
            "conf_high": [e + w for e, w in zip(estimates, (0.06, 0.05, 0.04, 0.03, 0.02), strict=True)],
        }
    )
    facts = {
        "task": "single",
        "primary": "accuracy",
        "gain_100": 0.011,
        "gain_100_low": 0.002,
        "gain_100_high": 0.031,
        "baseline": 0.367,
        "ceiling": 0.93,
        "n": 800,
    }
    tables = {"curve": table, "metrics": pd.DataFrame([metric("accuracy", 0.803)])}
    found = Findings.of("learning_curve", facts, tables)
    return Findings(found.kind, found.facts, found.tables, ("Learning curve up to 640 photographs",))


def grouped() -> Findings:
    """An evaluation by country."""
    found = single()
    rows = [
        metric(name, 0.75 - 0.06 * i, n=20 - i, by="country", group=group)
        for i, group in enumerate(("Chile", "Kenya", "Nepal"))
        for name in ("accuracy", "macro_f1")
    ]
    tables = {**found.tables, **Findings.of("", {}, {"groups": pd.DataFrame(rows)}).tables}
    return Findings(found.kind, found.facts, tables, found.lines, found.notes)
