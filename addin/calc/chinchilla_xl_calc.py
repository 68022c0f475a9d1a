"""The UNO component that LibreOffice Calc calls for every worksheet function of chinchilla_xl.

It runs in the Python of LibreOffice and only translates: Calc's arguments into the cells that
`WorksheetFunction.cells` takes, and what that gives into Calc's values and error codes. What a
function does comes from the package, which the component finds in LibreOffice's own Python or in the
folders that `environment.json` beside it names.
"""

import collections
import json
import struct
import sys
from pathlib import Path

import unohelper
from chinchilla.xl import XFunctions
from com.sun.star.lang import Locale, XLocalizable, XServiceInfo

SERVICE = "chinchilla.xl"

ERRORS = {
    "#NULL!": 521,
    "#DIV/0!": 532,
    "#VALUE!": 519,
    "#REF!": 524,
    "#NAME?": 525,
    "#NUM!": 503,
    "#N/A": 32767,
}
"""Calc's numbers for the error values of spreadsheet files.

It never hands one over: where an argument has an error in it the function is not called.
"""

NO_ADD_IN = 530
"""Calc says "Add-in not found" of a cell with this error, which becomes #NAME? in an .xlsx."""

_PAYLOAD = 0x7FF8 << 48
_FLOAT = frozenset({float})
_LAST_REFUSALS = 20

HERE = Path(__file__).parent


def error_value(number):
    """Calc's form of an error: a NaN with the number in its lower half."""
    return struct.unpack("<d", struct.pack("<Q", _PAYLOAD | number))[0]


class Library:
    """The package chinchilla_xl as this Python finds it, or in words why it does not."""

    def __init__(self):
        self.functions = {}
        self.problem = ""
        self.refusals = collections.deque(maxlen=_LAST_REFUSALS)
        try:
            self._load()
        except Exception as e:  # noqa: BLE001 (a package that is broken must not break Calc)
            self.problem = self._advice(f"{type(e).__name__}: {e}")

    def _load(self):
        if not self._find():
            return
        from chinchilla_xl.functions import FUNCTIONS, CellError
        from chinchilla_xl.functions.settings import read_flag

        self.error = CellError
        self.functions = {
            f.name: self._method(f, [p.reader is read_flag for p in f.parameters])
            for f in FUNCTIONS
        }

    def _find(self):
        """Make the package importable; False, and the problem said, if it cannot be."""
        try:
            import chinchilla_xl  # noqa: F401 (LibreOffice's own Python has it)
        except ImportError:
            recorded = json.loads((HERE / "environment.json").read_text("utf-8"))
            here = f"{sys.version_info.major}.{sys.version_info.minor}"
            if recorded["python"] != here:
                self.problem = self._advice(
                    f"the extension was built by Python {recorded['python']}, whose packages "
                    f"Python {here} cannot load"
                )
                return False
            sys.path.extend(f for f in recorded["folders"] if f not in sys.path)
        return True

    @staticmethod
    def _advice(problem):
        return (
            f"chinchilla-xl is not there for LibreOffice's Python {sys.version.split()[0]} "
            f"({sys.prefix}): {problem}. In an environment of Python "
            f"{sys.version_info.major}.{sys.version_info.minor} run: pip install "
            "chinchilla-xl[recalc], then: chinchilla-xl addin install --host calc"
        )

    def status(self):
        """What computes the functions, and what was refused last; or what to do."""
        if self.problem:
            return self.problem
        import numpy as np
        import scipy

        import chinchilla_xl

        ready = (
            f"chinchilla-xl {chinchilla_xl.__version__} from {Path(chinchilla_xl.__file__).parent}"
            f" with numpy {np.__version__}, scipy {scipy.__version__},"
            f" Python {sys.version.split()[0]}"
        )
        return "\n".join([ready, *reversed(self.refusals)])

    def _method(self, function, flags):
        """The function as Calc calls it: all its arguments by position, None if omitted."""
        cells, taken, given = function.cells, self._taken, self._given
        required, omitted = function.required, (None,) * (len(flags) - function.required)
        numeric = all(p.domain is not None for p in function.parameters[:required])
        optional = [i >= required and not flag for i, flag in enumerate(flags)]

        def call(_, *args):
            first = args[:required]
            if numeric and args[required:] == omitted and _FLOAT.issuperset(map(type, first)):
                result = cells(*first)  # the usual case, without detours
            else:
                count = len(args)
                while count and args[count - 1] is None:
                    count -= 1
                result = cells(*map(taken, args[:count], optional, flags))
            return ((result,),) if type(result) is float else given(function.name, result)

        return call

    def _taken(self, arg, optional, flag):
        """An argument of Calc's as `cells` takes it.

        Calc has no TRUE, only the number 1. It hands a blank cell alone over as 0, which in an
        optional argument stands for nothing else.
        """
        if type(arg) is tuple:
            if len(arg) == 1 and len(arg[0]) == 1:
                return self._cell(arg[0][0], flag)
            return [[self._cell(cell, flag) for cell in row] for row in arg]
        if optional and arg == 0.0:
            return None
        return arg if type(arg) is str else self._cell(arg, flag)

    def _cell(self, cell, flag):
        if type(cell) is float:
            return bool(cell) if flag and cell in (0.0, 1.0) else cell
        return None if cell == "" else cell  # in a range a blank cell is an empty text

    def _given(self, name, result):
        """A result of `cells` as Calc takes it: rows of values."""
        rows = result if type(result) is list else [[result]]
        return tuple(tuple(self._shown(name, cell) for cell in row) for row in rows)

    def _shown(self, name, cell):
        if type(cell) is not self.error:
            return cell
        if cell.message:
            refusal = f"{name}: {cell.code} {cell.message}"
            if refusal in self.refusals:
                self.refusals.remove(refusal)
            self.refusals.append(refusal)
        return error_value(ERRORS[cell.code])


LIBRARY = Library()


class Functions(unohelper.Base, XFunctions, XServiceInfo, XLocalizable):
    """The add-in: one method for every function that the type library lists."""

    def __init__(self, context):
        self._locale = Locale("en", "US", "")

    def setLocale(self, locale):
        self._locale = locale

    def getLocale(self):
        return self._locale

    def getImplementationName(self):
        return SERVICE

    def getSupportedServiceNames(self):
        return (SERVICE,)  # with com.sun.star.sheet.AddIn Calc would pass over CalcAddIns.xcu

    def supportsService(self, name):
        return name == SERVICE

    def CHINCHILLA_STATUS(self):
        return LIBRARY.status()


def not_found(_, *args):
    """What a function is while the package is missing."""
    return ((error_value(NO_ADD_IN),),)


for listed in json.loads((HERE / "functions.json").read_text("utf-8")):
    setattr(Functions, listed, LIBRARY.functions.get(listed, not_found))

g_ImplementationHelper = unohelper.ImplementationHelper()
g_ImplementationHelper.addImplementation(Functions, SERVICE, (SERVICE,))
