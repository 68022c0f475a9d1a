"""The budget workbook with other inputs, and its values, for the tests about it."""

from __future__ import annotations

from functools import lru_cache

import support
from chinchilla_xl.recalc import recompute_bytes

# One workbook is asked for many blocks.
cached = lru_cache(maxsize=4)(support.cached)
named_values = lru_cache(maxsize=4)(support.named_values)

MODELS = ("chinchilla_style", "compute_optimal", "cost_optimal")


def with_inputs(budget: bytes, **inputs: object) -> bytes:
    data, report = recompute_bytes(budget, inputs)
    assert report.complete, report.kept
    return data


def values_with(budget: bytes, **inputs: object) -> dict[str, object]:
    return named_values(with_inputs(budget, **inputs))
