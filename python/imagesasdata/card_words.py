"""What a model card should say beside the facts: sections by Mitchell et al. (2019), filled in as far as is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .card import ModelCard
from .markdown import BLANK, line, markdown_table

# What is among the measured figures and no metric.
_NO_METRIC = {"source", "n", "baseline", "ceiling", "ceiling_r2", "temperature", "n_duplicate_pairs", "method", "folds"}


def sections(card: ModelCard) -> str:
    """Return the sections of a card that nobody has written yet.

    The headings are those of Mitchell et al. (2019), Model Cards for Model Reporting, FAT* 2019, 220-229.
    """
    metrics = [(name, value) for name, value in card.metrics.items() if name not in _NO_METRIC and _is_figure(value)]
    whole = [(name, value) for name, value in metrics if "(" not in name]
    each = [(name, value) for name, value in metrics if "(" in name]
    parts: dict[str, list[tuple[str, str | None]]] = {
        "Intended use": [
            ("For which question, by whom, on which photographs?", None),
            ("What is it not for?", None),
        ],
        "Factors": [
            (
                "For which groups, places, years or devices may it do better or worse?",
                f"{BLANK} `audit_predictions(by=)` compares groups, with intervals and tests.",
            )
        ],
        "Metrics": [("Which figures, and why these?", _table(whole))],
        "Evaluation data": [("On which photographs was it measured, and whom do they stand for?", _evaluated(card))],
        "Training data": [
            (
                "On which photographs was it trained, coded by whom?",
                f"{line(card.description)} {BLANK} `data_statement()` writes what is known of labelled photographs.",
            )
        ],
        "Quantitative analyses": [
            ("By class, attribute or score", _table(each)),
            ("By group", f"{BLANK} `audit_predictions(by=)` makes the tables."),
        ],
        "Ethical considerations": [
            ("Does it say something of people? What can go wrong for them, and what was done about it?", None),
        ],
        "Caveats and recommendations": [("What should whoever uses it know?", "\n".join(_caveats(card)))],
    }
    lines = []
    for name, facts in parts.items():
        lines += [f"## {name}", ""]
        for question, answer in facts:
            lines += [f"**{question}**", "", answer or BLANK, ""]
    return "\n".join(lines).strip()


def _is_figure(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 3


def _table(figures: list[tuple[str, Any]]) -> str | None:
    if not figures:
        return None
    rows = []
    for name, (estimate, low, high) in figures:
        interval = "-" if low is None or high is None else f"{low:g} to {high:g}"
        rows.append((name, "-" if estimate is None else f"{estimate:g}", interval))
    return markdown_table(("metric", "estimate", "interval"), rows)


def _evaluated(card: ModelCard) -> str | None:
    if "source" not in card.metrics:
        return None
    n = card.metrics.get("n")
    about = f"{n:,} photographs; " if isinstance(n, int) else ""
    return f"{about}{line(str(card.metrics['source']), 300)}. They stand for photographs like these. {BLANK}"


def _caveats(card: ModelCard) -> Iterator[str]:
    metrics = card.metrics
    accuracy, baseline, ceiling = (metrics.get(key) for key in ("accuracy", "baseline", "ceiling"))
    if not any(_is_figure(value) for value in metrics.values()):
        yield "- It has not been measured on photographs like yours: `evaluate_predictions()` does that."
    if _is_figure(accuracy) and isinstance(baseline, float) and accuracy[1] is not None and accuracy[1] <= baseline:  # type: ignore[index]
        yield (
            f"- It is not shown to be better than always giving the most frequent class, which reaches {baseline:.3f}."
        )
    if isinstance(ceiling, float):
        what = "correlate with each other by" if card.task == "score" else "agree with each other on a share of"
        yield f"- Two coders {what} {ceiling:.3f} on average."
    if isinstance(best := metrics.get("ceiling_r2"), float):
        yield f"- The coders' agreement allows an R2 of {best:.3f} at most."
    if card.task != "score":
        yield "- Its labels are measurements with error: shares and regressions need correction for it."
    yield f"- {BLANK}"
