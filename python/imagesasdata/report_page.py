"""The parts of a report's page, as HTML that holds no script, asks for nothing, and escapes whatever it is given."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from typing import Any

from .charts.words import number, plain

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark; --ink: #1d1d1f; --soft: #5f6368; --line: #d9dce0; --page: #ffffff; --tile: #f4f7fa;
  --accent: #0072b2; --wrong: #b34a00; --note: #fdf3e1; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8ea; --soft: #a6abb2; --line: #3d4248; --page: #16181b;
  --tile: #22262b; --accent: #56b4e9; --wrong: #ff9c5a; --note: #352a17; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 62rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.3rem; margin: 2.75rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
p { margin: .5rem 0; max-width: 46rem; }
.soft { color: var(--soft); }
pre { background: var(--tile); padding: .9rem 1.1rem; border-radius: 6px; overflow-x: auto; font-size: .875rem; }
pre, code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.key { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.5rem 0; }
.key div { flex: 1 1 10rem; background: var(--tile); border-radius: 6px; padding: .7rem 1rem; }
.key b { display: block; font-size: 1.6rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.key div:first-child b { color: var(--accent); }
.note { background: var(--note); border-left: 4px solid #e69f00; padding: .6rem 1rem; border-radius: 0 6px 6px 0; }
.note ul { margin: 0; padding-left: 1.1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; margin: .75rem 0; }
th { text-align: left; font-weight: 600; border-bottom: 2px solid var(--line); white-space: nowrap; }
th, td { padding: .3rem .9rem .3rem 0; vertical-align: top; }
td { border-bottom: 1px solid var(--line); max-width: 24rem; overflow-wrap: break-word; }
td.n, th.n { text-align: right; white-space: nowrap; }
td.v { max-width: none; overflow-wrap: anywhere; }
td.k { color: var(--soft); white-space: nowrap; padding-right: 1.5rem; }
img { max-width: 100%; height: auto; }
img.chart { display: block; background: #fff; border-radius: 6px; padding: .5rem; margin: 1rem 0 .25rem; }
.sheet, .pairs { display: grid; gap: 1.1rem .9rem; margin: 1rem 0; }
.sheet { grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); }
.pairs { grid-template-columns: repeat(3, minmax(0, 15rem)); }
figure { margin: 0; font-size: .85rem; line-height: 1.35; min-width: 0; break-inside: avoid; }
figure .frame { display: flex; aspect-ratio: 1; background: var(--tile); border-radius: 4px; overflow: hidden;
  align-items: center; justify-content: center; margin-bottom: .35rem; text-align: center; color: var(--soft); }
figure .frame img { width: 100%; height: 100%; object-fit: contain; }
figcaption span { display: block; overflow-wrap: anywhere; }
.wrong { color: var(--wrong); font-weight: 600; }
footer { margin-top: 3rem; padding-top: .75rem; border-top: 1px solid var(--line); }
@media print { body { max-width: none; padding: 0; font-size: 10.5pt; color: #000; background: #fff; }
  h2 { break-after: avoid; } table, pre, img.chart { break-inside: avoid; } @page { margin: 16mm; }
  .sheet { grid-template-columns: repeat(5, 1fr); } }
@media print and (prefers-color-scheme: dark) { :root { --ink: #000; --soft: #444; --line: #bbb; --page: #fff;
  --tile: #f4f7fa; --accent: #0072b2; --wrong: #b34a00; --note: #fdf3e1; } }
"""


def safe(text: object, most: int | None = None) -> str:
    """Return text from outside as HTML text, which may stand in an attribute too."""
    return html.escape(plain(text, most), quote=True)


def page(title: str, parts: Iterable[str]) -> str:
    """Return a whole page; `parts` are HTML, `title` is text."""
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
    )
    body = "\n".join(part for part in parts if part)
    return f"{head}<title>{safe(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"


def heading(text: str) -> str:
    """Return the heading of a section."""
    return f"<h2>{safe(text)}</h2>"


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph of plain text."""
    return f'<p class="{safe(kind)}">{safe(text)}</p>' if kind else f"<p>{safe(text)}</p>"


def lines_block(lines: Sequence[str]) -> str:
    """Return lines as they are printed; spaces keep their places."""
    shown = (html.escape("".join(plain(letter) or " " for letter in line)) for line in lines)
    return "<pre>" + "\n".join(shown) + "</pre>" if lines else ""


def notes_block(notes: Sequence[str]) -> str:
    """Return what the user should know."""
    items = "".join(f"<li>{safe(note)}</li>" for note in notes)
    return f'<div class="note"><ul>{items}</ul></div>' if notes else ""


def key_block(values: Sequence[tuple[str, str, str]]) -> str:
    """Return a few figures in large letters: name, figure, what is below it."""
    boxes = [
        f"<div>{safe(name)}<b>{safe(value)}</b>" + f'<span class="soft">{safe(below)}</span></div>'
        for name, value, below in values
    ]
    return f'<div class="key">{"".join(boxes)}</div>' if boxes else ""


def facts_table(facts: Sequence[tuple[str, str]]) -> str:
    """Return names and values in two columns."""
    rows = "".join(f'<tr><td class="k">{safe(key)}</td><td class="v">{safe(value)}</td></tr>' for key, value in facts)
    return f'<div class="wide"><table>{rows}</table></div>' if facts else ""


def data_table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table; numbers have three decimals, whole ones none, and stand to the right."""
    right = [any(_is_number(row[i]) for row in rows) for i in range(len(names))]
    kinds = [' class="n"' if one else "" for one in right]
    head = "".join(f"<th{kind}>{safe(name)}</th>" for kind, name in zip(kinds, names, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{_cell(v)}</td>" for kind, v in zip(kinds, row, strict=True)) + "</tr>\n"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>'


def chart(content: bytes, words: str) -> str:
    """Return a PNG, with what it shows for those who cannot see it."""
    return f'<img class="chart" src="{_data(content, "png")}" alt="{safe(words)}">'


def photograph(content: bytes | None, words: str, captions: Sequence[tuple[str, str]], title: str = "") -> str:
    """Return a JPEG, or a grey tile with the reason, above lines of text: (text, class) each."""
    if content is None:
        inside = f"<span>{safe(words)}</span>"
    else:
        inside = f'<img src="{_data(content, "jpeg")}" alt="{safe(words)}">'
    lines = "".join(f'<span class="{safe(kind)}">{safe(text, 48)}</span>' for text, kind in captions)
    return f'<figure title="{safe(title)}"><div class="frame">{inside}</div><figcaption>{lines}</figcaption></figure>'


def grid(figures: Sequence[str], kind: str = "sheet") -> str:
    """Return photographs side by side."""
    return f'<div class="{safe(kind)}">\n' + "\n".join(figures) + "\n</div>" if figures else ""


def _data(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    return safe(value) if isinstance(value, str) else safe(number(value))
