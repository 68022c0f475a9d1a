"""Markdown as the written pages of docs/ have it: tables, escaped text, links to arXiv."""

from __future__ import annotations

import re
from collections.abc import Iterable


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A table, line by line."""
    heads = list(heads)
    lines = [f"| {' | '.join(cells)} |" for cells in (heads, *rows)]
    return [lines[0], "|" + "---|" * len(heads), *lines[1:]]


def escape(text: str) -> str:
    """Text in which Markdown finds nothing to mark up."""
    return re.sub(r"([*_<>|#\[\]])", r"\\\1", text)


def linked(text: str) -> str:
    """Text with its arXiv numbers as links."""
    return re.sub(r"arXiv (\d{4}\.\d{5})", r"[arXiv \1](https://arxiv.org/abs/\1)", text)
