"""Whether the tests notice a wrong formula: one operator or number changed at a time.

    python benchmarks/mutants.py [--every N] [GROUP ...]

cosmic-ray makes the mutants. Each is tried in a process forked from this one, which has the heavy
packages loaded already and gives the mutant to whoever imports its module: no file is changed. The
verdicts are kept in .mutants/, by the mutant's text, so that a run that was stopped goes on and a
changed module is tried anew; after a change of the tests, the survivors are. docs/mutation.md
explains those that survive.
"""

from __future__ import annotations

import argparse
import difflib
import importlib.machinery
import importlib.util
import itertools
import json
import os
import re
import resource
import shlex
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # as many mutants at once as there are cores

# Loaded once for all mutants.
import hypothesis
import mpmath
import pytest
import scipy.optimize
import scipy.special
import scipy.stats
import xdist.plugin
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

assert hypothesis, mpmath
assert scipy.optimize, scipy.special
assert scipy.stats, xdist.plugin

ROOT = Path(__file__).resolve().parent.parent
VERDICTS = ROOT / ".mutants"
SECONDS = 30  # of the processor, so that other work on the machine kills no mutant

# Of the fit's tests, those of the search are left out for its reports and those of the reports for
# its search; and the fits of any numbers whatever, which take longer than all others together.
OF_REPORTS = (
    "-k 'not (scipy or every_data_set or matter or repeating or stay_within"
    " or a_fit_or_a_fit_error)'"
)
OF_THE_SEARCH = (
    "-k 'test_fit_search or every_data_set or derivatives or gauss_newton or objective or wild"
    " or bound or floor or ignore'"
)

# The modules of a group, and the tests that must notice, the quickest first.
GROUPS = {
    "laws": (["laws"], "tests/test_laws.py tests/test_optimum.py tests/test_closed_forms.py"),
    "optimum": (["optimum"], "tests/test_laws.py tests/test_optimum.py tests/test_closed_forms.py"),
    "constrained": (["constrained"], "tests/test_optimum.py -k 'price or bound or plan'"),
    "costs": (
        ["costs"],
        "tests/test_laws.py tests/test_optimum.py tests/test_closed_forms.py tests/test_functions.py",
    ),
    "fit": (
        ["fit.runs", "fit.resampling", "fit.diagnostics", "fit.estimate"],
        (
            "tests/test_fit_diagnostics.py tests/test_fit_limits.py tests/test_fit.py"
            f" tests/test_fit_search.py {OF_REPORTS}"
        ),
    ),
    "fit-search": (
        ["fit.objective", "fit.newton", "fit.search"],
        f"tests/test_fit_search.py tests/test_fit.py tests/test_fit_limits.py {OF_THE_SEARCH}",
    ),
}

# One plausible slip for each operator: others, as a shift for a sum, fail at the first call.
SLIPS = re.compile(
    r"core/(ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|Pow_Mul)"
    r"|ReplaceComparisonOperator_(Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Eq_NotEq|NotEq_Eq)"
    r"|ReplaceUnaryOperator_Delete_(USub|Not)|ReplaceAndWithOr|ReplaceOrWithAnd|AddNot"
    r"|NumberReplacer|ReplaceTrueWithFalse|ReplaceFalseWithTrue|RemoveDecorator)"
)


def source_of(module: str) -> str:
    return (ROOT / "udfs/chinchilla_xl" / f"{module.replace('.', '/')}.py").read_text("utf-8")


def mutants(module: str) -> list[str]:
    """The texts of all mutants of a module."""
    source = source_of(module)
    found = []
    for name in filter(SLIPS.fullmatch, operator_names()):
        operator = get_operator(name)()
        for occurrence in itertools.count():
            mutant = mutate_code(source, operator, occurrence)
            if mutant is None:
                break
            found.append(mutant)
    return found


class OneMutant(importlib.machinery.SourceFileLoader):
    """Loads a module from the mutant's text instead of its file."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self.text = text

    def get_code(self, fullname: str):
        """The mutant, compiled: no bytecode is read or written."""
        return compile(self.text, self.path, "exec", dont_inherit=True)

    def find_spec(self, name: str, path=None, target=None):
        """This loader for its module, and nothing for others."""
        if name == self.name:
            return importlib.util.spec_from_file_location(name, self.path, loader=self)
        return None


def survives(module: str, mutant: str, tests: str) -> bool:
    """Whether the tests pass with the mutant in the module's place, within the time."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.chdir(ROOT)
        path = ROOT / "udfs/chinchilla_xl" / f"{module.replace('.', '/')}.py"
        sys.meta_path.insert(0, OneMutant(f"chinchilla_xl.{module}", str(path), mutant))
        options = "-x -n 0 --assert=plain -p no:cacheprovider --hypothesis-profile=unshrunk"
        code = 3
        try:
            code = int(pytest.main(shlex.split(f"{options} {tests}")))
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def change(module: str, mutant: str) -> str:
    """The lines that a mutant changes, as - and +."""
    lines = difflib.unified_diff(
        source_of(module).splitlines(), mutant.splitlines(), n=0, lineterm=""
    )
    return "\n".join(line for line in itertools.islice(lines, 2, None))


def try_module(module: str, tests: str, every: int) -> None:
    store = VERDICTS / f"{module}.json"
    known = json.loads(store.read_text("utf-8")) if store.exists() else {}
    chosen = mutants(module)[::every]
    living = []
    assert survives(module, source_of(module), tests), f"{tests} must pass as things are"
    for mutant in chosen:
        at = change(module, mutant)
        if known.get(at) != "killed":
            known[at] = "survived" if survives(module, mutant, tests) else "killed"
            store.write_text(json.dumps(known, indent=1), encoding="utf-8")
        if known[at] == "survived":
            living.append(at)
    print(f"{module}: {len(chosen)} mutants, {len(chosen) - len(living)} killed", flush=True)
    for at in living:
        print("   ", at.replace("\n", "\n    "), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Mutants that the tests do not notice.")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="try every Nth mutant")
    options = parser.parse_args()
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"GROUP must be one of {', '.join(GROUPS)}: {', '.join(sorted(unknown))}")
    VERDICTS.mkdir(exist_ok=True)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        chosen = [GROUPS[group] for group in options.groups or GROUPS]
        tasks = [
            pool.submit(try_module, module, tests, options.every)
            for modules, tests in chosen
            for module in modules
        ]
    for task in tasks:
        task.result()


if __name__ == "__main__":
    main()
