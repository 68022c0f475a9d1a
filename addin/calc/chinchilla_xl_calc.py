"""The UNO component that LibreOffice Calc calls for every worksheet function of chinchilla_xl.

It runs in the Python of LibreOffice and only translates: Calc's arguments into the cells that
`WorksheetFunction.cells` takes, and what that gives into Calc's values and error codes. What a
function does, and its texts, come from the package, which the component finds in LibreOffice's own
Python or in the folders that `environment.json` beside it names.
"""

import collections
import json
import os
import struct
import sys

import uno
import unohelper
from chinchilla.xl import XFunctions
from com.sun.star.lang import Locale, XLocalizable, XServiceInfo

SERVICE = "chinchilla.xl"

# Calc's numbers for the error values of spreadsheet files. It never hands one over: an argument with
# an error in it is an error of the formula, and the function is not called.
ERRORS = {
    "#NULL!": 521,
    "#DIV/0!": 532,
    "#VALUE!": 519,
    "#REF!": 524,
    "#NAME?": 525,
    "#NUM!": 503,
    "#N/A": 32767,
}
NO_ADD_IN = 530
"""Calc says "Add-in not found" of a cell with this error, which becomes #NAME? in an .xlsx."""

FLOAT = frozenset({float})
_PAYLOAD = 0x7FF8 << 48
_LAST_REFUSALS = 20


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
        except Exception as e:  # a package that is broken must not break Calc
            self.problem = self._advice(f"{type(e).__name__}: {e}")

    def _load(self):
        if self._find():
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
            with open(os.path.join(os.path.dirname(__file__), "environment.json")) as file:
                recorded = json.load(file)
            here = "{}.{}".format(*sys.version_info)
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
            f"({sys.prefix}): {problem}. With an environment of Python "
            f"{sys.version_info[0]}.{sys.version_info[1]} run: pip install chinchilla-xl[recalc], "
            "then: chinchilla-xl addin install --host calc"
        )

    def status(self):
        """One line: what computes the functions, or what to do, and what was refused last."""
        if self.problem:
            return self.problem
        import chinchilla_xl
        import numpy
        import scipy

        ready = (
            f"chinchilla-xl {chinchilla_xl.__version__} from {os.path.dirname(chinchilla_xl.__file__)}"
            f" with numpy {numpy.__version__}, scipy {scipy.__version__},"
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
            if numeric and args[required:] == omitted and FLOAT.issuperset(map(type, first)):
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
        """A result of `cells` as Calc takes it."""
        if type(result) is list:
            return tuple(tuple(self._shown(name, cell) for cell in row) for row in result)
        return ((self._shown(name, result),),)

    def _shown(self, name, result):
        if type(result) is self.error:
            if result.message:
                self._remember(f"{name}: {result.code} {result.message}")
            return error_value(ERRORS[result.code])
        return result

    def _remember(self, refusal):
        if refusal in self.refusals:
            self.refusals.remove(refusal)
        self.refusals.append(refusal)


LIBRARY = Library()


def _method(name):
    known = LIBRARY.functions.get(name)
    return known if known is not None else lambda _, *args: ((error_value(NO_ADD_IN),),)


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


with open(os.path.join(os.path.dirname(__file__), "functions.json")) as names:
    for name in json.load(names):
        setattr(Functions, name, _method(name))

g_ImplementationHelper = unohelper.ImplementationHelper()
g_ImplementationHelper.addImplementation(Functions, SERVICE, (SERVICE,))
