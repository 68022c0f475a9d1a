"""Writes what docs/ takes from the code: a page for each function, and the tables that are computed.

python tests/doc_pages.py

The pages are kept in docs/, so that they can be read where no site is built; a test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import computed_tables as tables
from function_pages import DOCS, function_pages

HOW = "write the pages anew with: python tests/doc_pages.py"

BLOCKS: dict[str, dict[str, Callable[[], list[str]]]] = {
    "model.md": {"coefficient sets": tables.coefficient_table},
    "reproduction.md": {
        "Table 1": tables.law_table,
        "claims": tables.claim_table,
        "Table 2": lambda: tables.paper_table(2),
        "Table 3": lambda: tables.paper_table(3),
        "Table 3 by its caption": tables.caption_table,
        "deviations": tables.deviation_table,
    },
}
"""Page -> the name of a table in it -> what computes it; the page marks where it stands."""


def with_blocks(page: str) -> str:
    """The page with its tables computed anew."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for name, compute in BLOCKS[page].items():
        start, end = f"<!-- {name}: written by tests/doc_pages.py -->\n", "<!-- end -->"
        pattern = re.escape(start) + r".*?" + re.escape(end)
        block = start + "\n" + "\n".join(compute()) + "\n\n" + end
        text, count = re.subn(pattern, lambda _, block=block: block, text, flags=re.DOTALL)
        assert count == 1, f"{page} must mark the place of {name!r} once"
    return text


if __name__ == "__main__":
    for name, text in function_pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
    for name in BLOCKS:
        (DOCS / name).write_text(with_blocks(name), encoding="utf-8")
