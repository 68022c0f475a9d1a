"""Tries the installed package in an environment without any extra: `python tests/bare.py`.

Every example of the worksheet functions is run, and both ways to the command line must say in one
line what to install. `make check-wheel` runs it where the wheel was installed and nothing else.
"""

from __future__ import annotations

import doctest
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

from chinchilla_xl.functions import FUNCTIONS

ALLOWED = {"chinchilla-xl", "numpy", "scipy", "pip", "setuptools"}
SAID = 'Error: click or rich is not installed: pip install "chinchilla-xl[recalc]"\n'


def main() -> None:
    """Exit with a message if anything is not as it is promised."""
    surplus = {found.name for found in distributions()} - ALLOWED
    if surplus:
        sys.exit(f"not a bare environment: {', '.join(sorted(surplus))}")
    runner = doctest.DocTestRunner()
    for function in FUNCTIONS:
        names = dict(function.formula.__globals__)
        for test in doctest.DocTestFinder().find(function.formula, function.name, globs=names):
            runner.run(test)
    result = runner.summarize()
    if result.failed or result.attempted < len(FUNCTIONS):
        sys.exit("the examples of the functions are not true")
    script = Path(sys.executable).with_name("chinchilla-xl")
    for command in ([sys.executable, "-m", "chinchilla_xl"], [str(script)]):
        told = subprocess.run([*command, "functions"], capture_output=True, text=True, check=False)
        if (told.returncode, told.stdout, told.stderr) != (3, "", SAID):
            sys.exit(f"{command}: {told}")
    sys.stdout.write(f"without extras: {result.attempted} examples of {len(FUNCTIONS)} functions\n")


if __name__ == "__main__":
    main()
