"""Hypothesis without deadlines, for shared and noisy machines; the server and the wheel, made once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import Phase, settings

settings.register_profile("steady", deadline=None, derandomize=True)
# A mutant is caught by the first counterexample; nobody reads the smallest.
settings.register_profile(
    "unshrunk", settings.get_profile("steady"), phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("steady")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def server_port() -> Iterator[int]:
    """The port of a running server of addin/server."""
    import server_process

    with server_process.running() as port:
        yield port


@pytest.fixture
def server_address(server_port):
    return f"http://127.0.0.1:{server_port}"


@pytest.fixture
def server(server_port):
    """One user's connection to the server."""
    from server_process import Client

    with closing(Client(server_port)) as client:
        yield client


@pytest.fixture(scope="session")
def distributions(tmp_path_factory) -> Path:
    """The folder of the sdist and the wheel of this source, or of those that are being tested."""
    if not (ROOT / "udfs").exists():
        return ROOT / "dist"
    target = tmp_path_factory.mktemp("dist")
    command = ["build", "--sdist", "--wheel", "--no-isolation", "--outdir", target, ROOT]
    subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True)
    return target


@pytest.fixture(scope="session")
def wheel(distributions) -> Path:
    """The wheel of this source, or the one that is being tested."""
    return next(distributions.glob("*.whl"))


@pytest.fixture(scope="session")
def sdist(distributions) -> Path:
    """The source distribution beside the wheel."""
    return next(distributions.glob("*.tar.gz"))
