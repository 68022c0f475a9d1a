"""Runs actions on files, each in a process of its own whose time and memory are measured.

Starting Python anew takes longer than most of the actions. So one process imports everything and
forks a child for each request, before any thread exists: `python measured.py` reads lines of JSON,
[action, path, arguments], and answers each with what became of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ALLOWED_SECONDS = 300.0
"""Of wall time, upon which a child is killed; what is measured, and limited too, is CPU time."""
_CPU_LIMIT = 20

_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of an action: its result or its error, its CPU seconds, its peak memory."""

    seconds: float
    megabytes: float
    result: Any = None
    error: str = ""
    family: tuple[str, ...] = ()  # the names of the error's classes
    message: str = ""


class Runner:
    """A process that runs actions in children of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | _ENVIRONMENT,
        )  # fmt: skip

    def run(self, action: str, path: Path, *args: Any) -> Outcome:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([action, str(path), args]) + "\n")
        self._process.stdin.flush()
        return Outcome(**json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate()


@contextlib.contextmanager
def runner() -> Iterator[Runner]:
    """A Runner, closed in the end."""
    running = Runner()
    try:
        yield running
    finally:
        running.close()


def _recompute(path: str) -> Any:
    from chinchilla_xl.recalc import recompute

    return dataclasses.asdict(recompute(path))


def _command(path: str, *args: str) -> Any:
    """The command line: its exit code and what it printed."""
    from chinchilla_xl.__main__ import main

    sys.argv = ["chinchilla-xl", *(path if arg == "FILE" else arg for arg in args)]
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as e:
            code = e.code
    return [code, out.getvalue(), err.getvalue()]


_ACTIONS = {"recompute": _recompute, "command": _command}


def _measured(action: str, path: str, args: list[Any]) -> dict[str, Any]:
    start = time.process_time()
    fields: dict[str, Any] = {}
    try:
        fields["result"] = _ACTIONS[action](path, *args)
    except BaseException as e:  # noqa: BLE001 (the test judges it)
        fields["error"] = "".join(traceback.format_exception(e))
        fields["family"] = [kind.__name__ for kind in type(e).__mro__]
        fields["message"] = str(e)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return fields | {
        "seconds": time.process_time() - start,
        "megabytes": peak / (1 << 20 if sys.platform == "darwin" else 1 << 10),
    }


def _in_child(request: list[Any]) -> str:
    """The answer of a forked child, which is killed if it takes too long."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_LIMIT, _CPU_LIMIT))
        os.close(reader)
        with os.fdopen(writer, "w") as answer:
            answer.write(json.dumps(_measured(*request)))
        os._exit(0)
    os.close(writer)
    found = b""
    end = time.monotonic() + ALLOWED_SECONDS
    with os.fdopen(reader, "rb") as answer:
        while select.select([answer], [], [], max(end - time.monotonic(), 0.0))[0]:
            block = os.read(answer.fileno(), 1 << 16)
            if not block:
                break
            found += block
        else:
            os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    if found and status == 0:
        return found.decode()
    fields = {"error": f"the process ended with status {status}", "message": "", "family": []}
    return json.dumps(
        fields | {"seconds": usage.ru_utime + usage.ru_stime, "megabytes": usage.ru_maxrss / 1024}
    )


def _serve() -> None:
    import chinchilla_xl.cli
    import chinchilla_xl.recalc.fill
    import chinchilla_xl.recalc.sweep
    import chinchilla_xl.workbooks.reader  # noqa: F401

    for line in sys.stdin:
        print(_in_child(json.loads(line)), flush=True)  # noqa: T201


if __name__ == "__main__":
    _serve()
