"""Thousands of random mutations of good workbooks: a report or an error of ours, and nothing else."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable

import pytest

from chinchilla_xl.errors import ChinchillaError
from chinchilla_xl.workbooks import template
from corpus import CALC, LINKS, SHEET, STRINGS, STYLES, WORKBOOK, good, good_parts, zipped
from measured import runner
from support import members

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="a child is forked for each file"),
]

MUTATIONS = 1500
Mutation = Callable[[random.Random, bytes], bytes]

WORDS = [
    b"", b"-1", b"0", b"1", b"99999999999", b"1e999", b"nan", b"A1", b"XFD1048576", b"A1:XFD1048576",
    b"ZZZ1", b"#REF!", b"true", b"&#0;", b"&amp;", b"\xff", b"\x00", "\u2028".encode(), b"x" * 5000,
    b"array", b"shared", b"dataTable", b"str", b"inlineStr", b"e", b"b", b"s", b"d", b"n",
    b"SEQUENCE(1000,1000)", b"A1:A1048576*2", b"REPT(A2,32767)", b"SUM(A:XFD)", b"(((((", b"1/0",
]  # fmt: skip


def flip(g: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(g.randint(1, 8)):
        changed[g.randrange(len(changed))] = g.randrange(256)
    return bytes(changed)


def cut(g: random.Random, data: bytes) -> bytes:
    start, end = sorted(g.randrange(len(data) + 1) for _ in range(2))
    return data[:start] + data[min(end, start + g.choice([1, 16, 1 << 30])) :]


def repeat(g: random.Random, data: bytes) -> bytes:
    start = g.randrange(len(data))
    end = start + g.choice([1, 10, 200])
    return data[:start] + data[start:end] * g.choice([2, 3, 100]) + data[end:]


def swap_tokens(g: random.Random, data: bytes) -> bytes:
    """Two tags, or two texts between tags, change places; or one stands twice, or is lost."""
    tokens = re.findall(rb"<[^>]*>|[^<]+", data) or [data]
    i, j = g.randrange(len(tokens)), g.randrange(len(tokens))
    kind = g.randrange(3)
    if kind == 0:
        tokens[i], tokens[j] = tokens[j], tokens[i]
    elif kind == 1:
        tokens.insert(j, tokens[i])
    else:
        del tokens[i]
    return b"".join(tokens)


def replace_word(g: random.Random, data: bytes) -> bytes:
    """An attribute's value, an element's text or an attribute's name becomes another."""
    spots = list(re.finditer(rb'(?<=")[^"<>]*(?=")|(?<=>)[^<]+(?=<)|(?<=\s)\w+(?==)', data))
    if not spots:
        return data
    spot = g.choice(spots)
    word = g.choice([*WORDS, g.choice(spots).group()])
    return data[: spot.start()] + word + data[spot.end() :]


IN_PARTS: list[Mutation] = [flip, cut, repeat, *[swap_tokens] * 3, *[replace_word] * 6]
IN_ARCHIVES: list[Mutation] = [flip, cut, repeat]


def small() -> dict[str, bytes]:
    return {name: text.encode() for name, text in good_parts().items()}


def budget() -> dict[str, bytes]:
    return members(template("budget"))


def mutated(g: random.Random, parts: dict[str, bytes], chosen: list[str]) -> bytes:
    """The workbook with one to three mutations of one part."""
    name = g.choice(chosen)
    content = parts[name]
    for _ in range(g.randint(1, 3)):
        content = g.choice(IN_PARTS)(g, content) or b"<>"
    return zipped(parts | {name: content})


def check(running, path, data: bytes, seed: str, seconds: float) -> bool:
    """Whether the file was refused; AssertionError if anything happened that may not."""
    path.write_bytes(data)
    outcome = running.run("recompute", path)
    assert outcome.seconds <= seconds, seed
    assert outcome.megabytes <= 300, seed
    assert os.listdir(path.parent) == [path.name], seed
    if not outcome.error:
        return False
    assert ChinchillaError.__name__ in outcome.family, f"{seed}: {outcome.error}"
    assert outcome.message.isprintable(), seed
    assert path.read_bytes() == data, seed
    return True


@pytest.mark.parametrize("block", range(4))
def test_mutated_parts_give_a_report_or_an_error_of_ours(tmp_path, block):
    parts = small()
    refused = 0
    with runner() as running:
        for i in range(MUTATIONS):
            seed = f"small-{block}-{i}"
            data = mutated(
                random.Random(seed),
                parts,
                [SHEET, SHEET, CALC, CALC, WORKBOOK, LINKS, STRINGS, STYLES],
            )
            refused += check(running, tmp_path / "book.xlsx", data, seed, 1.0)
    assert 0.2 * MUTATIONS < refused < 0.9 * MUTATIONS  # both kinds of outcome are reached


def test_mutated_archives_give_a_report_or_an_error_of_ours(tmp_path):
    data = good()
    with runner() as running:
        for i in range(MUTATIONS):
            g = random.Random(f"archive-{i}")
            check(
                running, tmp_path / "book.xlsx", g.choice(IN_ARCHIVES)(g, data), f"archive-{i}", 1.0
            )


def test_mutated_budgets_give_a_report_or_an_error_of_ours(tmp_path):
    parts = budget()
    sheets = [name for name in parts if "sheet" in name or name == WORKBOOK]
    with runner() as running:
        for i in range(MUTATIONS // 10):
            data = mutated(random.Random(f"budget-{i}"), parts, sheets)
            check(running, tmp_path / "book.xlsx", data, f"budget-{i}", 3.0)
