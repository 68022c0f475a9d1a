"""The project in addin/server as a running server, and calls as Excel makes them."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent / "addin" / "server"
PATIENCE = 60


def licence() -> str:
    """The licence key of xlwings: the machine's own, or that for noncommercial use."""
    return os.environ.get("XLWINGS_LICENSE_KEY") or "noncommercial"


@contextmanager
def running() -> Iterator[int]:
    """Start the server on a free port, which is given, and stop it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "XLWINGS_LICENSE_KEY": licence(), "XLWINGS_LOG_LEVEL": "WARNING"}
    command = [
        "uvicorn",
        "xlwings_server.main:main_app",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=PROJECT, env=environment, stdout=log, stderr=log
        )
        try:
            _wait_for(server, port, log)
            yield port
        finally:
            server.terminate()
            server.wait(PATIENCE)


def _wait_for(server: subprocess.Popen[bytes], port: int, log: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if get(port, "/")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    log.seek(0)
    raise AssertionError(f"the server did not start: {log.read().decode()[-2000:]}")


def get(port: int, path: str) -> tuple[int, str]:
    """The status and the body of a page."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()


class Client:
    """One user's connection, which calls functions as the add-in's page does."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def call(self, function: str, args: list[Any], *, runtime: str = "1.4") -> tuple[int, str]:
        """The status and the body of the answer."""
        body = {
            "client": "Office.js",
            "func_name": function,
            "args": args,
            "caller_address": "[Book1]Sheet1!B2",
            "session_id": "tests",
            "culture_info_name": "en-US",
            "date_format": "m/d/yyyy",
            "version": version("xlwings"),
            "runtime": runtime,
        }
        headers = {"Content-Type": "application/json"}
        self._connection.request(
            "POST", "/xlwings/custom-functions-call", json.dumps(body, allow_nan=False), headers
        )
        response = self._connection.getresponse()
        return response.status, response.read().decode()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()
