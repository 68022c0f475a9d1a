"""Work shared out to processes that may be stopped and may die without taking the rest along.

The processes are pebble's: those of concurrent.futures cannot stop a task that takes too long, and
give up altogether when one of them dies.
"""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext
from multiprocessing.synchronize import RLock
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

    pool: Any = ProcessPool(max_workers=jobs, context=_Context())
    try:
        # The first task starts the pool: in a thread, which an interrupt does not stop half way.
        with ThreadPoolExecutor(1, initializer=_without_interrupts) as starter:
            futures = starter.submit(
                lambda: {pool.schedule(function, args=t, timeout=timeout): t for t in tasks}
            ).result()
        pool.close()
        yield from collected(futures, timeout)
    finally:
        # After a break or Ctrl-C: running tasks end; their files are whole, old or new.
        pool.stop()
        pool.join()


class _Context(SpawnContext):
    """Starts fresh processes: a fork would copy the calculation engine's threads in an unknown state.

    It keeps the locks that it makes for as long as it is used. pebble lets go of its own before it
    stops the workers, and one that was just starting would look for its lock in vain and print why.
    """

    def __init__(self) -> None:
        self._locks: list[RLock] = []

    def RLock(self) -> RLock:  # noqa: N802 (multiprocessing's name)
        """See BaseContext."""
        lock = super().RLock()
        self._locks.append(lock)
        return lock


def _without_interrupts() -> None:
    """Let this thread, and the threads and processes that it starts, get no Ctrl-C.

    A terminal sends that to the workers as well. They ignore it, but only once they have started: in
    the meantime each would print a traceback. Windows knows no such thing.
    """
    if hasattr(signal, "pthread_sigmask"):
        resource_tracker.ensure_running()  # its start would let the interrupt through again
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


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
