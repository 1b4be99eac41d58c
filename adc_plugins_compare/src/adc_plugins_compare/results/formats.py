"""The tables of a comparison as text, Markdown, CSV and LaTeX."""

import csv
import io
import re
from collections.abc import Callable, Sequence

from adc_core.reporting import table as aligned
from adc_plugins_compare.results.table import Entry, Table

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def said(entry: Entry | None) -> str:
    """Say a figure without its mark: `0.742 ± 0.005`, or `0.742` where all seeds agree."""
    if entry is None:
        return ""
    if entry.mean is None:
        return "failed" if entry.missing else "undefined"
    spread = f" ± {entry.spread:.3f}" if entry.spread else ""
    missing = f" ({entry.missing} failed)" if entry.missing else ""
    return f"{entry.mean:.3f}{spread}{missing}"


def as_text(tables: Sequence[Table]) -> str:
    """Align the tables for a terminal; a star marks the best and what is tied with it."""

    def cell(entry: Entry | None) -> str:
        return f"*{said(entry)}" if _is_marked(entry) else said(entry)

    parts = []
    for one in tables:
        rows = [[*name, *map(cell, entries)] for name, entries in one.rows]
        text = aligned([*one.heads, *one.columns], rows, texts=len(one.heads))
        parts.append(f"{one.title}\n{text}" if one.title else text)
    return "\n\n".join(parts)


def as_markdown(tables: Sequence[Table]) -> str:
    """Write tables of GitHub's Markdown; bold marks the best and what is tied with it."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"

    parts = []
    for one in tables:
        lines = [f"**{one.title}**", ""] if one.title else []
        lines.append(line([*one.heads, *one.columns]))
        lines.append(line([*["---"] * len(one.heads), *["---:"] * len(one.columns)]))
        lines += [line([*name, *_marked(entries, "**{}**".format)]) for name, entries in one.rows]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def as_latex(tables: Sequence[Table]) -> str:
    r"""Write `tabular` environments with the rules of `booktabs`; \textbf marks the best."""

    def line(cells: Sequence[str]) -> str:
        return " & ".join(cells) + r" \\"

    def number(entries: Sequence[Entry | None]) -> list[str]:
        return _marked([*entries], r"\textbf{{{}}}".format, lambda text: _latex(text))

    parts = []
    for one in tables:
        lines = [f"% {one.title}"] if one.title else []
        lines += [
            rf"\begin{{tabular}}{{{'l' * len(one.heads)}{'r' * len(one.columns)}}}",
            r"\toprule",
            line([_latex(text) for text in (*one.heads, *one.columns)]),
            r"\midrule",
        ]
        before = None
        for name, entries in one.rows:
            if before not in (None, name[: one.block]):
                lines.append(r"\midrule")
            before = name[: one.block]
            lines.append(line([*map(_latex, name), *number(entries)]))
        parts.append("\n".join([*lines, r"\bottomrule", r"\end{tabular}"]))
    return "\n\n".join(parts) + "\n"


def as_csv(tables: Sequence[Table]) -> str:
    """Write one line per figure: what it is of, mean, standard deviation, runs, mark."""
    heads = list(dict.fromkeys(head for one in tables for head in one.heads))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["metric", *heads, "column", "mean", "std", "runs", "failed", "mark"])
    for one in tables:
        for name, entries in one.rows:
            named = dict(zip(one.heads, name, strict=True))
            for column, entry in zip(one.columns, entries, strict=True):
                if entry is None:
                    continue
                metric, place = (one.title, column) if one.title else (column, "")
                mark = "best" if entry.best else "tied" if entry.tied else ""
                writer.writerow([
                    metric, *(named.get(head, "") for head in heads), place,
                    _exact(entry.mean), _exact(entry.spread),
                    sum(value == value for value in entry.values), entry.missing, mark,
                ])  # fmt: skip
    return file.getvalue()


def _exact(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _is_marked(entry: Entry | None) -> bool:
    return entry is not None and (entry.best or entry.tied)


def _marked(
    entries: Sequence[Entry | None],
    mark: Callable[[str], str],
    escape: Callable[[str], str] = str,
) -> list[str]:
    return [
        mark(escape(said(entry))) if _is_marked(entry) else escape(said(entry)) for entry in entries
    ]


def _latex(text: str) -> str:
    escaped = re.sub(r"[\\&%$#_{}~^]", lambda found: _LATEX[found.group()], text)
    return escaped.replace("±", r"$\pm$").replace("δ", r"$\delta$").replace("∞", r"$\infty$")
