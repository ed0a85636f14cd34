"""Pictures of findings: `plot_findings` chooses the picture, and `charts` draws it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from .charts.confusion import draw_confusion
from .charts.contact_sheet import draw_contact_sheet
from .charts.curves import draw_calibration, draw_pr, draw_roc
from .charts.figure import need_matplotlib, no_mathematics, style
from .charts.learning import draw_learning_curve
from .charts.metrics import draw_groups, draw_metrics
from .charts.regression import draw_coefficients, draw_power, draw_shares
from .errors import ArgumentInvalid, choose, quoted
from .findings import Findings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What a picture is drawn with, and the table that it needs.
PICTURES: dict[str, tuple[Any, str]] = {
    "confusion": (draw_confusion, "confusion"),
    "roc": (draw_roc, "roc"),
    "pr": (draw_pr, "pr"),
    "calibration": (draw_calibration, "calibration"),
    "metrics": (draw_metrics, "metrics"),
    "groups": (draw_groups, "groups"),
    "learning_curve": (draw_learning_curve, "curve"),
    "coefficients": (draw_coefficients, "estimates"),
    "shares": (draw_shares, "shares"),
    "power": (draw_power, "power"),
    "errors": (draw_contact_sheet, "predictions"),
    "uncertain": (draw_contact_sheet, "predictions"),
}
SHEETS = ("errors", "uncertain")
# Findings of a kind of their own, and the picture of their metrics.
OWN_PICTURE = {
    "audit": "groups",
    "learning_curve": "learning_curve",
    "regression": "coefficients",
    "share": "shares",
    "power": "power",
}


def plot_findings(findings: Findings, what: str | None = None, ax: Axes | None = None, **options: Any) -> Figure:
    """Draw what was found out.

    Parameters
    ----------
    findings : Findings
        From `evaluate_predictions`, `cross_validate`, `learning_curve`, `coder_agreement`, `regress`, `estimate_share`
        or `power_regress`.
    what : str, optional
        ``"confusion"``: the confusion matrix, counts and shares of a row; beyond 25 classes the pairs that are most
        often confused. ``"roc"``, ``"pr"``: curves, one a class. ``"calibration"``: how often a label is right, by its
        probability, above a histogram of the probabilities. ``"metrics"``: all metrics with their intervals, by class
        too. ``"groups"``: the primary metric for each group. ``"learning_curve"``. ``"coefficients"``, ``"shares"``:
        from predictions, from hand labels alone, and corrected. ``"power"``: standard errors by number of labels.
        ``"errors"``, ``"uncertain"``: the photographs of the most confident errors, and those with the least certain
        labels. By default the confusion matrix for exclusive classes, the picture of their kind for learning curves,
        regressions, shares and powers, and otherwise the metrics.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given. A calibration and the confusion of attributes then need `class_name`,
        and metrics are only those of which more is better.
    **options
        ``class_name`` (confusion of attributes, roc, pr, calibration): one class or attribute; for curves also a list.
        ``top`` (confusion): how many pairs beyond 25 classes, 25. ``metric``, ``by`` (groups): which metric, by which
        column. ``n`` (errors, uncertain): at most so many photographs, 20; ``image_dir``: where their relative paths
        start; ``columns``: photographs in a row, 5. ``intercept`` (coefficients): draw it too.

    Returns
    -------
    matplotlib.figure.Figure
        Made without pyplot, so that no display is needed and nothing has to be closed. 1000 pixels wide at most. Save
        it with ``figure.savefig("confusion.pdf")``; a notebook shows it.

    Raises
    ------
    DependencyMissing
        matplotlib is not installed.
    ArgumentInvalid
        The findings have no such picture, or it has no such option.

    Notes
    -----
    A photograph that cannot be read is a grey tile with the reason. Names of files and classes are shortened, are never
    read as mathematics, and lose control characters. Colours are those of Okabe and Ito (2008), which the colour-blind
    can tell apart; lines also differ in their dashes.

    Examples
    --------
    >>> import pandas as pd
    >>> from imagesasdata.findings import Findings
    >>> counts = pd.DataFrame({"truth": ["cat", "cat", "dog", "dog"], "label": ["cat", "dog"] * 2, "n": [8, 2, 1, 9]})
    >>> found = Findings.of("evaluation", {"task": "single"}, {"confusion": counts})
    >>> figure = plot_findings(found, "confusion")  # doctest: +SKIP
    >>> figure.savefig("confusion.png")  # doctest: +SKIP
    """
    if not isinstance(findings, Findings):
        raise ArgumentInvalid(f"`findings` is a {type(findings).__name__}; give what an evaluation returned.")
    need_matplotlib()
    what = _default(findings) if what is None else what
    choose("what", what, PICTURES)
    draw, _ = PICTURES[what]
    if not _can(findings, what):
        raise ArgumentInvalid(
            f'`what` is "{what}", for which this {findings.kind.replace("_", " ")} has nothing to draw. '
            f"It has: {quoted(pictures(findings))}."
        )
    if what in SHEETS:
        options = {**options, "which": what}
    allowed = [name for name in inspect.signature(draw).parameters if name not in ("findings", "ax")]
    unknown = [name for name in options if name not in allowed]
    if unknown:
        known = quoted(name for name in allowed if name != "which") or "none"
        raise ArgumentInvalid(f'"{what}" has no option {quoted(map(repr, unknown))}. Its options: {known}.')
    with style():
        figure: Figure = draw(findings, ax=ax, **options)
        no_mathematics(figure if ax is None else ax)
    return figure


def pictures(findings: Findings) -> list[str]:
    """Return which pictures can be drawn of findings: values of `what`."""
    return [name for name in PICTURES if _can(findings, name)]


def _can(findings: Findings, what: str) -> bool:
    table = findings.tables.get(PICTURES[what][1])
    if table is None or not table.num_rows:
        return False
    if what == "metrics":  # those of a learning curve are the curve, and so on
        return findings.kind not in OWN_PICTURE and bool(table["estimate"].null_count < table.num_rows)
    if what == "uncertain":
        probs = [name for name in table.column_names if name == "prob" or name.startswith("prob_")]
        return any(table[name].null_count < table.num_rows for name in probs)
    return True


def _default(findings: Findings) -> str:
    if findings.kind in OWN_PICTURE:
        return OWN_PICTURE[findings.kind]
    single = findings.facts.get("task", "single") == "single"
    return "confusion" if single and "confusion" in findings.tables else "metrics"
