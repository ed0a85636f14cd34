"""A report of findings: one HTML file to read, print, archive and send, which needs nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from . import report_page as html
from . import report_sections as sections
from .charts.figure import need_matplotlib
from .charts.words import missing, number, value_or_none
from .errors import ArgumentInvalid, ModelInvalid, disk_problem, quoted
from .findings import Findings
from .model import ImageModel, load_model
from .plots import SHEETS, pictures
from .thumbnails import check_image_dir
from .version import __version__

TITLES = {
    "evaluation": "Evaluation",
    "cross_validation": "Cross-validation",
    "learning_curve": "Learning curve",
}
LIMITS = (
    "These numbers hold for photographs drawn as these were, and against hand labels that are themselves a measurement "
    "with error: for another place, time or source, evaluate again."
)


def write_report(
    findings: Findings,
    out: str | os.PathLike[str],
    model: str | os.PathLike[str] | ImageModel | None = None,
    image_dir: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> str:
    """Write a report of an evaluation as one HTML file.

    Parameters
    ----------
    findings : Findings
        From `evaluate_predictions`, `cross_validate` or `learning_curve`.
    out : path
        The file to write, .html.
    model : str, path or ImageModel, optional
        The model that was evaluated. Its card is then quoted, and maps show where it saw its most confident errors
        (see `saliency_map`), where the model has such maps.
    image_dir : path, optional
        Where relative paths of photographs start. A photograph that cannot be read is a grey tile.
    overwrite : bool
        Replace a file that is there.

    Returns
    -------
    str
        The path of the file. It appears only when it is whole.

    Raises
    ------
    ArgumentInvalid
        There is a file already, it cannot be written, or the findings are of another kind.
    DependencyMissing
        matplotlib is not installed.
    ModelNotFound, ModelInvalid
        The model cannot be used, or the findings are of another file.

    Notes
    -----
    The page holds the summary, the metrics with their intervals, the pictures of `plot_findings`, the photographs of
    the most confident errors and of the least certain labels, and where the numbers come from. It has no script and
    loads nothing, so it can be opened without a network; names of files and labels are escaped. It holds photographs,
    small: share it only as you may share them.

    Examples
    --------
    >>> import imagesasdata as iad
    >>> found = iad.cross_validate("labels.csv", image_dir="photos/")  # doctest: +SKIP
    >>> iad.write_report(found, "protest.html", image_dir="photos/")  # doctest: +SKIP
    'protest.html'
    """
    if not isinstance(findings, Findings) or findings.kind not in TITLES:
        given = f'Findings of kind "{findings.kind}"' if isinstance(findings, Findings) else type(findings).__name__
        raise ArgumentInvalid(f"`findings` is {given}; a report is of one of {quoted(TITLES)}.")
    path = Path(out).expanduser()
    if path.suffix.lower() not in (".html", ".htm"):
        raise ArgumentInvalid(f'`out` is "{path}"; a report is a web page, so it must end in .html.')
    if path.exists() and not overwrite:
        raise ArgumentInvalid(f'There is a file "{path}" already. Give another `out`, or overwrite=True (--overwrite).')
    need_matplotlib()
    check_image_dir(image_dir)
    loaded = None if model is None else load_model(model)
    measured = findings.facts.get("model_sha256")
    if loaded is not None and measured not in (None, loaded.sha256):
        raise ModelInvalid(
            f'`model`: "{loaded.path}" is not the model that these figures are of (its file has the sha256 '
            f"{loaded.sha256[:12]}, theirs {measured[:12]}). Give that model, or measure this one."
        )
    text = html.page(_title(findings), _parts(findings, loaded, image_dir))
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.replace(path)
    except OSError as problem:
        why = disk_problem(problem) if path.parent.is_dir() else f"there is no folder {path.parent}"
        raise ArgumentInvalid(f'`out`: "{path}" cannot be written: {why}.') from problem
    finally:
        partial.unlink(missing_ok=True)
    return str(path)


def _title(findings: Findings) -> str:
    n = findings.facts.get("n")
    link = "from" if findings.kind == "learning_curve" else "of"
    return TITLES[findings.kind] + ("" if missing(n) else f" {link} {number(n)} photographs")


def _parts(findings: Findings, model: ImageModel | None, image_dir: str | os.PathLike[str] | None) -> Iterator[str]:
    yield f"<h1>{html.safe(_title(findings))}</h1>"
    about = [] if model is None else [f'model "{model.name}"']
    about += [f"{key}: {findings.facts[key]}" for key in ("method", "backbone") if findings.facts.get(key)]
    yield html.paragraph(", ".join(about), "soft") if about else ""
    yield html.key_block(sections.key_figures(findings))
    yield html.notes_block(findings.notes)
    yield html.lines_block(findings.lines)
    if "curve" in findings.tables:
        yield from sections.picture(findings, "learning_curve")
        yield sections.table(findings, "curve")
    elif "metrics" in findings.tables:
        yield html.heading("Metrics")
        level = value_or_none(findings.facts.get("conf_level"))
        if level is not None:
            yield html.paragraph(f"With {level:.0%} intervals; n is how many photographs a number rests on.", "soft")
        yield sections.table(findings, "metrics")
    drawable = pictures(findings)
    for what in ("metrics", "confusion", "groups", "calibration", "roc", "pr"):
        if what in drawable:
            yield from sections.picture(findings, what)
            yield sections.table(findings, "groups") if what == "groups" else ""
    for which in SHEETS:
        if which in drawable:
            yield from sections.contact_sheet(findings, which, image_dir)
    if model is not None and "predictions" in findings.tables:
        yield from sections.activation_maps(findings, model, image_dir)
    for name, words in (("folds", "Folds"), ("duplicates", "Near-duplicates that were kept together")):
        if name in findings.tables and findings.tables[name].num_rows:
            yield html.heading(words)
            yield sections.table(findings, name)
    yield html.heading("Where the numbers come from")
    yield html.facts_table(sections.provenance(findings, model))
    yield f"<footer>{html.paragraph(LIMITS)}{html.paragraph(_citation(model))}</footer>"


def _citation(model: ImageModel | None) -> str:
    which = f'and the model "{model.name}" (see its card)' if model is not None else "and the model (see its card)"
    return (
        "To cite: imagesasdata contributors (2026), imagesasdata: photographs as data for social science, in Python "
        f"and R, version {__version__}, {which}; the approach follows Webb Williams, Casas and Wilkerson (2020), "
        "Images as Data for Social Science Research, doi:10.1017/9781108860741."
    )
