"""Recomputes many workbooks: one after the other, in processes, or on any executor.

Each file has an outcome of its own, a Report or a Failure; no file, and no killed worker, takes the
batch down. Processes are pebble's, because those of concurrent.futures cannot stop a task that takes
too long, and give up altogether when one of them dies.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from chinchilla_xl.errors import ArgumentError, ChinchillaError, MissingExtra
from chinchilla_xl.recalc.calculation import recompute
from chinchilla_xl.recalc.inputs import Input
from chinchilla_xl.recalc.report import Report


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that was not recomputed, and why: `kind` is the class of the error."""

    path: str
    kind: str
    error: str


Outcome: TypeAlias = Report | Failure


def recompute_all(
    paths: Sequence[str | os.PathLike[str]],
    output_dir: str | os.PathLike[str] | None = None,
    inputs: Mapping[str, Input] | None = None,
    *,
    check: bool = False,
    jobs: int = 1,
    timeout: float | None = None,
    executor: Executor | None = None,
) -> Iterator[Outcome]:
    """Recompute every file, and give each outcome as soon as it is there.

    `inputs` and `check` are as for `recompute`; results go to `output_dir` or in place. `jobs` processes work at a time; a file that
    takes longer than `timeout` seconds is stopped and left as it was. An `executor` of your own
    (a pool, a Dask cluster's `client.get_executor()`) takes the place of the processes; it must be
    able to import this package and see the files, and cannot stop a task that runs.
    """
    targets = _targets(paths, output_dir)
    tasks = [(str(path), target, dict(inputs or {}), check) for path, target in targets]
    if executor is not None:
        if timeout is not None:
            raise ArgumentError("timeout needs processes (jobs): an executor cannot stop a task")
        yield from _collected({executor.submit(_outcome, *task): task[0] for task in tasks}, None)
    elif jobs == 1 and timeout is None:
        for task in tasks:
            yield _outcome(*task)
    else:
        yield from _in_processes(tasks, jobs, timeout)


def _targets(
    paths: Sequence[str | os.PathLike[str]], output_dir: str | os.PathLike[str] | None
) -> list[tuple[Path, str | None]]:
    """Each file and where its result goes; no two results may meet."""
    sources = [Path(path) for path in paths]
    targets: list[tuple[Path, str | None]] = [
        (path, None if output_dir is None else str(Path(output_dir) / path.name))
        for path in sources
    ]
    written = [target or str(path) for path, target in targets]
    twice = sorted({name for name in written if written.count(name) > 1})
    if twice:
        raise ArgumentError(f"two files would be written to {twice[0]}")
    return targets


def _outcome(path: str, target: str | None, inputs: Mapping[str, Input], check: bool) -> Outcome:
    try:
        return recompute(path, target, inputs, check=check)
    except ChinchillaError as e:
        message = str(e).removeprefix(f"{path}: ")
        return Failure(path, type(e).__name__, message)
    except MemoryError:
        return Failure(path, "TooLarge", "there is not enough memory for it")
    except Exception as e:  # noqa: BLE001 (the other files must go on)
        return Failure(path, type(e).__name__, f"an unforeseen error: {e}")


def _in_processes(
    tasks: Iterable[tuple[Any, ...]], jobs: int, timeout: float | None
) -> Iterator[Outcome]:
    try:
        from pebble import ProcessPool
    except ImportError as missing:
        raise MissingExtra("pebble", "recalc") from missing

    # Fresh processes: a fork would copy the calculation engine's threads in an unknown state.
    pool: Any = ProcessPool(max_workers=jobs, context=multiprocessing.get_context("spawn"))
    try:
        futures = {
            pool.schedule(_outcome, args=task, timeout=timeout): str(task[0]) for task in tasks
        }
        pool.close()
        yield from _collected(futures, timeout)
    finally:
        # After a break or Ctrl-C: running tasks end; their files are whole, old or new.
        pool.stop()
        pool.join()


def _collected(futures: Mapping[Future[Outcome], str], timeout: float | None) -> Iterator[Outcome]:
    for future in as_completed(futures):
        path = futures[future]
        try:
            yield future.result()
        except TimeoutError:
            yield Failure(path, "TimeoutError", f"stopped after {timeout:g} s")
        except Exception as e:  # noqa: BLE001 (a worker that died, by whatever name its pool has)
            reason = str(e).splitlines()[0] if str(e) else type(e).__name__
            yield Failure(path, type(e).__name__, f"its worker was lost: {reason}")
