"""Compare predictions with the truth: every metric with its interval, by class and by subgroup."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from .beside import read_beside
from .ceilings import ceiling_lines, ceilings
from .compared import Attributes, Classes, Compared, Scores
from .errors import ArgumentInvalid, choose, quoted
from .evaluation_tables import (
    calibration_table,
    confusion_table,
    groups_table,
    metrics_table,
    pr_table,
    roc_table,
)
from .evaluation_words import notes_on, summary
from .evidence import Evidence, number_clusters
from .findings import Findings, FindingsVerb
from .intervals import check_level, check_whole
from .metrics import Floats

TASKS = ("single", "multi", "score")
# The metric that stands for all, and what it is called among the facts.
PRIMARY = {"single": ("accuracy", "accuracy"), "multi": ("macro_f1", "macro_f1"), "score": ("r2", "mean r2")}


@FindingsVerb
def evaluate_predictions(
    predictions: Any,
    truth: Any,
    by: str | Sequence[str] | None = None,
    image_col: str = "image",
    label_col: str | Sequence[str] = "label",
    cluster: str | None = None,
    coders: str | Sequence[str] | None = None,
    conf_level: float = 0.95,
    replicates: int = 1000,
    seed: int = 1,
) -> Findings:
    """Say how good predictions are, for photographs whose true labels are known.

    Parameters
    ----------
    predictions : data frame or table file
        From `classify_images`, or the out-of-fold predictions of `cross_validate`, whose columns ``fold``, ``repeat``
        and ``group`` make intervals as wide as they are there. Without columns of probabilities, what rests on labels
        alone is measured.
    truth : str, list, data frame, table file or folder
        A column of `predictions` (of several attributes or scores: a list of columns, or what their names begin with,
        such as ``"truth"`` for ``truth_fire`` and ``truth_flag``); a list with a label for each row; or a data frame or
        table file of hand labels, or a folder of class folders, whose photographs are called as in `predictions`.
    by : str or list of str, optional
        Columns of `predictions` or of the truth: everything is measured for each of their values too.
    image_col : str
        The column with the paths.
    label_col : str or list of str
        The column of hand labels in a table of truth; for several attributes or scores the columns, by default those
        that are called as these.
    cluster : str, optional
        A column of `predictions` or of the truth: photographs with one value (an event, an account) are no independent
        evidence, and are resampled together.
    coders : str or list of str, optional
        Who coded a table of truth, as in `fine_tune`: the majority is the truth, and how far coders agree is reported
        beside the accuracy.
    conf_level : float
        Level of the intervals, between 0 and 1.
    replicates : int
        Of the bootstrap; 0 for none.
    seed : int
        The same seed gives the same intervals.

    Returns
    -------
    Findings
        ``metrics``: ``metric``, ``class`` (missing for the whole), ``estimate``, ``conf_low``, ``conf_high``, ``n``
        (photographs that it rests on) and ``interval`` (how it was made); an estimate is missing where it is undefined,
        as the recall of a class without photographs is. ``groups``: the same by ``by`` and ``group``. ``confusion``:
        ``truth``, ``label``, ``n``, for several attributes also ``attribute``. ``roc``: ``class``, ``threshold``,
        ``fpr``, ``tpr``; ``pr``: ``class``, ``threshold``, ``recall``, ``precision``. ``calibration``: ``class``
        (missing: the label that was given), ``prob``, ``share`` (that is right), ``conf_low``, ``conf_high``, ``n``, in
        bins of equal mass. ``predictions``: every row with its truth. With `coders`, ``ceilings``: ``name``, ``metric``
        (``coder_accuracy``: how often one coder says what most of the others say; ``coder_correlation``: of one coder
        with the mean of the others; ``best_r2``, ``best_correlation``: what the coders' agreement allows a model at
        most), ``estimate``, ``conf_low``, ``conf_high``, ``n``. Facts: ``n`` (photographs compared), ``n_failed``
        (without a prediction), ``n_unlabelled`` (without a truth), ``primary`` with ``estimate``, ``conf_low`` and
        ``conf_high``, ``baseline`` (accuracy of always giving the most frequent class) and ``ceiling`` (agreement of
        the coders).

    Raises
    ------
    ArgumentInvalid, KeysInvalid, LabelsInvalid, ImageColumnMissing, TableUnreadable

    Notes
    -----
    Definitions are scikit-learn's. For exclusive classes: macro figures are means over the classes for which they are
    defined; ROC AUC and PR AUC (average precision) are of one class against the others, and for the whole their mean,
    or with two classes those of the second; the Brier score is the sum over the classes (Brier 1950), 0 to 2, or with
    two classes that of the second's probability, 0 to 1; the calibration error is that of the label that was given (Guo
    et al. 2017), in 10 bins of equal mass or as many as have 10 photographs. For several attributes and for scores,
    figures of the whole are means over them. Metrics: accuracy, balanced_accuracy, macro_precision, macro_recall,
    macro_f1, kappa (Cohen 1960), roc_auc, pr_auc, brier, log_loss, calibration_error, and by class precision, recall,
    f1, roc_auc and pr_auc; for scores r2, mae, rmse and correlation (Pearson).

    Intervals of accuracy, precision and recall are Wilson's (1927); those of other figures, and all of them with
    `cluster`, are percentiles of 1,000 bootstrap replicates. That of the calibration error, which chance makes greater,
    begins at 0 where a calibrated model would have as large an error. Intervals are missing where replicates do not
    differ, as where no photograph is wrong. A photograph that occurs in several rows is a cluster by itself.
    Predictions out of fold come from models that share photographs, so their intervals are wider, 1.5 times with five
    folds (Nadeau and Bengio 2003), and where groups were kept together, these are the clusters: ``interval`` then says
    ``across folds``. Intervals say nothing of photographs of another kind than those in the table.

    Examples
    --------
    >>> import imagesasdata as iad, pandas as pd, warnings
    >>> coded = pd.DataFrame({"hand": list("aaaabbbb"), "label": list("aaabbbba"), "error": None})
    >>> with warnings.catch_warnings(action="ignore"):  # of so few photographs
    ...     found = iad.evaluate_predictions(coded, "hand")
    >>> found.metrics.loc[0, ["estimate", "conf_low", "conf_high"]].round(3).tolist()
    [0.75, 0.409, 0.929]
    """
    beside = read_beside(predictions, truth, by, image_col, label_col, cluster, coders)
    found = _findings(
        beside.compared,
        beside.predicted.images,
        beside.predicted.errors,
        beside.evidence,
        beside.groups,
        check_level(conf_level),
        check_whole("replicates", replicates),
        check_whole("seed", seed),
        beside.ceiling,
        beside.notes,
    )
    allowed = None if beside.labels is None else ceilings(beside.labels, conf_level, replicates, seed)
    return with_ceilings(found, allowed)


def with_ceilings(found: Findings, table: pa.Table | None) -> Findings:
    """Return an evaluation that also tells what the coders' agreement allows."""
    if table is None:
        return found
    best = [row["estimate"] for row in table.to_pylist() if row["metric"] == "best_r2"]
    known = [value for value in best if value is not None]
    facts = {**found.facts, "ceiling_r2": float(np.mean(known)) if known else None}
    lines = (*found.lines[:-1], *ceiling_lines(table), *found.lines[-1:])
    return dataclasses.replace(found, facts=facts, tables={**found.tables, "ceilings": table}, lines=lines)


def quality(
    task: str,
    names: Sequence[str],
    values: Floats,
    outputs: Floats,
    images: Sequence[str | None],
    *,
    evidence: Evidence | None = None,
    by: Mapping[str, Sequence[str | None]] | None = None,
    conf_level: float = 0.95,
    replicates: int = 1000,
    seed: int = 1,
    ceiling: float | None = None,
    errors: Sequence[str | None] | None = None,
) -> Findings:
    """Return the evaluation of outputs of a network whose labels are known.

    Parameters
    ----------
    task : {"single", "multi", "score"}
        As in `Labels`.
    names : sequence of str
        Classes, attributes or scores.
    values : numpy.ndarray
        ``[n, k]``, as in `Labels`: for ``"single"`` the largest is the truth; a row of NaN has none.
    outputs : numpy.ndarray
        ``[n, k]``: probabilities, after the activation, or scores; a row with NaN has no prediction.
    images : sequence of str
        ``[n]``: names of the photographs.
    evidence : Evidence, optional
        Of the n rows; by default each photograph stands for itself.
    by : dict of sequences, optional
        Subgroups: name, and ``[n]`` values, None for none.
    conf_level, replicates, seed
        As in `evaluate_predictions`.
    ceiling : float, optional
        How far coders agree.
    errors : sequence of str or None, optional
        ``[n]``: why there is no prediction.
    """
    choose("task", task, TASKS)
    values, outputs = np.array(values, float), np.array(outputs, float)
    errors = [None] * len(values) if errors is None else list(errors)
    failed = np.asarray(np.isnan(outputs).any(axis=1)) | np.array([error is not None for error in errors], bool)
    outputs[failed] = np.nan
    compared: Compared
    if task == "single":
        unknown = np.asarray(np.isnan(values).any(axis=1))
        truth = np.where(unknown, -1, np.nan_to_num(values).argmax(axis=1))
        given = np.where(failed, -1, np.nan_to_num(outputs).argmax(axis=1))
        prob = np.where(failed, np.nan, outputs.max(axis=1))
        compared = Classes(tuple(names), len(names), truth, given, outputs, prob)
    elif task == "multi":
        given = np.where(np.isnan(outputs), np.nan, (outputs >= 0.5).astype(float))
        compared = Attributes(tuple(names), values, given, outputs)
    else:
        compared = Scores(tuple(names), values, outputs)
    groups = {name: list(column) for name, column in (by or {}).items()}
    return _findings(
        compared,
        list(images),
        errors,
        evidence or Evidence(number_clusters(range(len(images)))),
        groups,
        check_level(conf_level),
        check_whole("replicates", replicates),
        check_whole("seed", seed),
        ceiling,
        [],
    )


def _findings(
    compared: Compared,
    images: Sequence[str | None],
    errors: Sequence[str | None],
    evidence: Evidence,
    by: dict[str, list[str | None]],
    conf_level: float,
    replicates: int,
    seed: int,
    ceiling: float | None,
    notes: Sequence[str],
) -> Findings:
    predicted, labelled = compared.predicted(), compared.labelled()
    used = np.flatnonzero(predicted & labelled)
    if not len(used):
        raise ArgumentInvalid(
            f"Of {len(compared):,} photographs {int(predicted.sum()):,} have a prediction and {int(labelled.sum()):,} "
            "a true label, but none has both, so there is nothing to compare."
        )
    part = compared.take(used)
    evidence = evidence.take(used)
    metrics = metrics_table(part, conf_level, replicates, seed, evidence)
    tables = {"metrics": metrics}
    if by:
        groups = {name: [values[row] for row in used] for name, values in by.items()}
        tables["groups"] = groups_table(part, groups, conf_level, replicates, seed, evidence)
    if compared.task != "score":
        tables["confusion"] = confusion_table(part)
        for name, table in (("roc", roc_table(part)), ("pr", pr_table(part))):
            if table.num_rows:
                tables[name] = table
        calibration = calibration_table(part, conf_level)
        if calibration.num_rows:
            tables["calibration"] = calibration
    tables["predictions"] = _predictions(compared, images, errors)
    metric, name = PRIMARY[compared.task]
    first = next(row for row in metrics.to_pylist() if (row["metric"], row["class"]) == (metric, None))
    facts = {
        "task": compared.task,
        "classes": list(compared.names),
        "n": evidence.count(),
        "n_failed": int((~predicted).sum()),
        "n_unlabelled": int((predicted & ~labelled).sum()),
        "n_clusters": evidence.count_clusters(),
        "conf_level": conf_level,
        "replicates": replicates,
        "inflation": evidence.inflation,
        "seed": seed,
        "primary": name,
        "estimate": first["estimate"],
        "conf_low": first["conf_low"],
        "conf_high": first["conf_high"],
        "baseline": part.baseline(),
        "ceiling": ceiling,
    }
    said = [*notes, *notes_on(part, facts, metrics, tables.get("groups"), by)]
    lines = summary(facts, metrics, tables.get("groups"))
    return Findings("evaluation", facts, tables, tuple(lines), tuple(dict.fromkeys(said)))


def _predictions(compared: Compared, images: Sequence[str | None], errors: Sequence[str | None]) -> pa.Table:
    columns = [("image", pa.array(images, pa.string())), *compared.columns()]
    columns.append(("error", pa.array(errors, pa.string())))
    names = [name for name, _ in columns]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ArgumentInvalid(f"{quoted(twice)} would be two columns of one table; call these attributes otherwise.")
    return pa.table(dict(columns))
