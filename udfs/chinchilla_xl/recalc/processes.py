"""Work shared out to processes that may be stopped and may die without taking the rest along.

The processes are pebble's: those of concurrent.futures cannot stop a task that takes too long, and
give up altogether when one of them dies.
"""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, as_completed
from typing import Any, TypeVar

from chinchilla_xl.errors import ArgumentError, ChinchillaError, MissingExtra

_Task = TypeVar("_Task", bound=tuple[Any, ...])


class Lost(Exception):
    """A task has no result; the message says why, `timeout` whether it was stopped for time."""

    def __init__(self, message: str, kind: str, *, timeout: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.timeout = timeout


def in_processes(
    function: Callable[..., Any], tasks: Iterable[_Task], jobs: int, timeout: float | None
) -> Iterator[tuple[_Task, Any | Lost]]:
    """Each task with what `function` gave for it, as they come; Lost if it gave nothing.

    A task that takes longer than `timeout` seconds is stopped.
    """
    if jobs < 1:
        raise ArgumentError(f"jobs must be at least 1: {jobs}")
    if timeout is not None and not 0 < timeout < math.inf:
        raise ArgumentError(f"timeout must be a number of seconds above 0: {timeout:g}")
    try:
        from pebble import ProcessPool
    except ImportError as missing:
        raise MissingExtra("pebble", "recalc") from missing

    # Fresh processes: a fork would copy the calculation engine's threads in an unknown state.
    pool: Any = ProcessPool(max_workers=jobs, context=multiprocessing.get_context("spawn"))
    try:
        futures = {pool.schedule(function, args=task, timeout=timeout): task for task in tasks}
        pool.close()
        yield from collected(futures, timeout)
    finally:
        # After a break or Ctrl-C: running tasks end; their files are whole, old or new.
        pool.stop()
        pool.join()


def collected(
    futures: Mapping[Future[Any], _Task], timeout: float | None = None
) -> Iterator[tuple[_Task, Any | Lost]]:
    """The tasks of these futures with their results, as they come; Lost for a worker that died."""
    for future in as_completed(futures):
        try:
            result = future.result()
        except ChinchillaError:
            raise
        except TimeoutError:
            after = "" if timeout is None else f" after {timeout:g} s"
            result = Lost(f"stopped{after}", "TimeoutError", timeout=True)
        except Exception as e:  # noqa: BLE001 (a worker that died, by whatever name its pool has)
            reason = str(e).splitlines()[0] if str(e) else type(e).__name__
            result = Lost(f"its worker was lost: {reason}", type(e).__name__)
        yield futures[future], result
