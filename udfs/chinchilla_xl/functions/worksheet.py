"""What a worksheet function is: a formula plus the argument and error rules that all of them share.

A formula is a plain Python function of numbers, a law and a deployment. `worksheet` wraps it into a
`WorksheetFunction`, which reads the arguments by name (`parameters`), broadcasts them as a
spreadsheet does, and hands out the result in two ways:

    function(*args)          for Python: floats and arrays, NaN where there is no answer;
                             ArgumentError for an argument that cannot be used
    function.cells(*args)    for a spreadsheet: a value or rows of values, with a CellError in
                             every cell that has no answer; it never raises

In `cells`, a range is a list of rows, a blank cell or an omitted argument is None, and an error
value is a CellError. Hosts translate to and from that form and decide nothing else.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from chinchilla_xl.coefficients import Law, Laws
from chinchilla_xl.elementwise import NAN
from chinchilla_xl.errors import ArgumentError, ExtrapolationWarning
from chinchilla_xl.functions import operands
from chinchilla_xl.functions.cells import NUM, VALUE, CellError
from chinchilla_xl.functions.operands import Errors, Operand
from chinchilla_xl.functions.parameters import PARAMETERS, Parameter
from chinchilla_xl.functions.settings import fitted_ranges

Reason: TypeAlias = Callable[[Mapping[str, Any]], str | None]

_FLOATS = {float}

FAR_OUTSIDE = 10
"""How many times beyond the runs of a fit its use is an extrapolation worth a warning."""

MAX_CELLS = 20_000_000
"""A result beyond this is refused instead of exhausting the machine's memory."""

FUNCTIONS: list[WorksheetFunction] = []
"""Every worksheet function, in the order of the catalogue."""


@dataclass(slots=True)
class _Result:
    """What a formula gave: numbers (or a table), what stands in for some, headings above."""

    values: Any
    cases: int
    errors: Errors | None = None
    headings: tuple[str, ...] = ()


class WorksheetFunction:
    """One function of the catalogue: a value for each element of its arguments."""

    returns_table = False
    """Whether the result is a table of its own shape, not one value per element."""

    def __init__(
        self, formula: Callable[..., Any], example: str, reason: Reason | None, gives: str
    ) -> None:
        functools.update_wrapper(self, formula)
        self.formula = formula
        self.name = formula.__name__.upper()
        self.example = example
        self._reason = reason
        self.gives = gives
        names = formula.__code__.co_varnames[: formula.__code__.co_argcount]
        if unknown := set(names) - set(PARAMETERS):
            raise LookupError(f"{self.name}: functions/parameters.py lacks {', '.join(unknown)}")
        self.parameters: tuple[Parameter, ...] = tuple(PARAMETERS[name] for name in names)
        optional = formula.__defaults__ or ()
        self.required = len(names) - len(optional)
        self._defaults = [None] * self.required + list(optional)
        numeric = all(p.domain is not None for p in self.parameters[: self.required])
        self._plain_count = self.required if numeric and not self.returns_table else -1

    @property
    def __signature__(self) -> inspect.Signature:
        """The signature that help() shows: an omitted argument is None."""
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        required = [inspect.Parameter(p.name, kind) for p in self.parameters[: self.required]]
        optional = [
            inspect.Parameter(p.name, kind, default=None) for p in self.parameters[self.required :]
        ]
        return inspect.Signature(required + optional)

    @property
    def summary(self) -> str:
        """The wizard's sentence: the first paragraph of the documentation."""
        paragraph = (self.__doc__ or "").split("\n\n", 1)[0]
        return " ".join(paragraph.split())

    @property
    def syntax(self) -> str:
        """NAME(required, [optional]), as a wizard shows it."""
        words = [
            p.name if i < self.required else f"[{p.name}]" for i, p in enumerate(self.parameters)
        ]
        return f"{self.name}({', '.join(words)})"

    def __repr__(self) -> str:
        return f"<worksheet function {self.syntax}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The result for Python: a float or an array, NaN where there is no answer."""
        if kwargs:
            bound = self.__signature__.bind(*args, **kwargs)
            bound.apply_defaults()
            args = bound.args
        elif self._is_plain(args):
            return self.formula(*args)
        result = self._evaluate(args)
        if result.errors is not None:
            for error in result.errors.ravel():
                if error is not None and error.code == VALUE.code:
                    raise ArgumentError(error.message or "an argument holds #VALUE!")
        if result.headings:
            return np.vstack([result.headings, result.values.astype(object)], dtype=object)
        return result.values

    def cells(self, *args: Any) -> Any:
        """The value of a cell, or rows of values: float, str or CellError each."""
        try:
            if self._is_plain(args):
                value = self.formula(*args)
                return self._without_answer(args) if value != value else value  # noqa: PLR0124 (NaN)
            result = self._evaluate(args)
            return self._to_cells(result, args)
        except ArgumentError as refused:
            return CellError(refused.code, str(refused))
        except Exception as unforeseen:  # noqa: BLE001 (a traceback must never reach a cell)
            return CellError("#VALUE!", f"{self.name} failed: {unforeseen}")

    def _is_plain(self, args: Sequence[Any]) -> bool:
        """Only plain floats for the required arguments: the formula takes them as they are."""
        if len(args) != self._plain_count:
            return False
        return _FLOATS.issuperset(map(type, args))

    def _evaluate(self, args: Sequence[Any]) -> _Result:
        values, errors = self._read(args)
        shape = self._shape(values)
        result = np.broadcast_to(self.formula(*values), shape)
        self._warn_outside(args, values, {self.gives: result})
        merged = _merged(errors, shape)
        if merged is not None:
            result = np.where(merged == None, result, NAN)  # noqa: E711 (elementwise)
        return _Result(np.array(result) if shape else float(result), result.size, merged)

    def _read(self, args: Sequence[Any]) -> tuple[list[Any], list[Errors]]:
        """Each argument's values for the formula, and the error grids that were found."""
        if len(args) > len(self.parameters):
            raise ArgumentError(
                f"{self.syntax} takes at most {len(self.parameters)} arguments: {len(args)} given"
            )
        if len(args) < self.required:
            raise ArgumentError(f"{self.syntax} lacks {self.parameters[len(args)].name}")
        values: list[Any] = []
        errors: list[Errors] = []
        given = [*args, *[None] * (len(self.parameters) - len(args))]
        for i, (parameter, arg) in enumerate(zip(self.parameters, given, strict=True)):
            if arg is None and i >= self.required:
                values.append(self._defaults[i])
                continue
            value, found = _read_one(parameter, arg)
            values.append(value)
            if found is not None:
                errors.append(found)
        return values, errors

    def _shape(self, values: list[Any]) -> tuple[int, ...]:
        """The shape that the arguments broadcast to, or ArgumentError."""
        shapes = [_shape_of(value) for value in values]
        try:
            shape = np.broadcast_shapes(*shapes)
        except ValueError:
            sizes = ", ".join(
                f"{p.name} is {' x '.join(map(str, s))}"
                for p, s in zip(self.parameters, shapes, strict=True)
                if s
            )
            raise ArgumentError(
                f"the ranges do not fit: {sizes} (rows must be equal or 1, so must columns)"
            ) from None
        if int(np.prod(shape, dtype=object)) > MAX_CELLS:
            raise ArgumentError(
                f"the result must have at most {MAX_CELLS:,} cells: "
                f"{' x '.join(f'{n:,}' for n in shape)}"
            )
        return shape

    def _warn_outside(
        self, args: Sequence[Any], values: list[Any], results: Mapping[str, Any]
    ) -> None:
        """ExtrapolationWarning if a fit's own table is used far outside the runs behind it."""
        names = [p.name for p in self.parameters]
        if "coeffs" not in names[: len(args)]:
            return
        cases = {**dict(zip(names, values, strict=True)), **results}
        for name, (low, high) in fitted_ranges(args[names.index("coeffs")]).items():
            if name not in cases:
                continue
            case = np.asarray(cases[name], dtype=np.float64)
            far = (case < low / FAR_OUTSIDE) | (case > high * FAR_OUTSIDE)
            if far.any():
                warnings.warn(
                    f"{self.name}: {name} of {case[far].flat[0]:.3g} is more than "
                    f"{FAR_OUTSIDE} times outside the runs of the fit ({low:.3g} to {high:.3g})",
                    ExtrapolationWarning,
                    stacklevel=4,
                )

    def _to_cells(self, result: _Result, args: Sequence[Any]) -> Any:
        values, errors = np.asarray(result.values), result.errors
        cells = values.astype(object)
        if values.dtype != object:
            unanswered = np.isnan(values)
            if errors is not None:
                unanswered &= errors == None  # noqa: E711 (elementwise)
            if unanswered.any():
                # A message is about one case: with several, none of them can be meant.
                cells[unanswered] = self._without_answer(args) if result.cases == 1 else NUM
        if errors is not None:
            cells = np.where(errors == None, cells, errors)  # noqa: E711 (elementwise)
        if cells.size == 1:
            return cells.item()
        rows = cells.reshape(1, -1).tolist() if cells.ndim == 1 else cells.tolist()
        return [list(result.headings), *rows] if result.headings else rows

    def _without_answer(self, args: Sequence[Any]) -> CellError:
        """#NUM!, with the rule that the arguments of a single answer broke."""
        values, _ = self._read(args)
        case = {
            p.name: np.asarray(v).item() if isinstance(v, np.ndarray) else v
            for p, v in zip(self.parameters, values, strict=True)
        }
        for parameter in self.parameters:
            value = case[parameter.name]
            if parameter.domain is not None and value not in parameter.domain:
                rule = parameter.domain.rule
                return CellError(NUM.code, f"{parameter.name} must be {rule}: {value:g}")
        law = case.get("coeffs")
        if isinstance(law, Law) and case.get("loss", np.inf) <= law.E:
            message = f"loss must be above the law's E = {law.E:g}: {case['loss']:g}"
            return CellError(NUM.code, message)
        because = self._reason(case) if self._reason is not None else None
        return CellError(
            NUM.code, because or f"{self.name} has no finite answer for these arguments"
        )


class RowFunction(WorksheetFunction):
    """A function that gives a row of figures for each case: a case is an element of its arguments.

    Its formula returns the columns by their headings, which show if its `header` is true.
    """

    returns_table = True

    def _evaluate(self, args: Sequence[Any]) -> _Result:
        values, errors = self._read(args)
        shape = self._shape(values)
        if sum(n > 1 for n in shape) > 1:
            sizes = " x ".join(map(str, shape))
            raise ArgumentError(f"{self.name} takes one row or one column of cases: {sizes}")
        columns: dict[str, Any] = self.formula(*values)
        self._warn_outside(args, values, columns)
        cells = [np.broadcast_to(c, shape).reshape(-1) for c in columns.values()]
        table = np.stack(cells, axis=1)
        header = dict(zip((p.name for p in self.parameters), values, strict=True)).get("header")
        headings = tuple(columns) if header else ()
        merged = _merged(errors, shape)
        if merged is not None:
            merged = np.repeat(merged.reshape(-1, 1), len(columns), axis=1)
            table = np.where(merged == None, table, NAN)  # noqa: E711 (elementwise)
        return _Result(table, len(table), merged, headings)


class TableFunction(WorksheetFunction):
    """A function whose formula returns a whole table, as an object array of rows."""

    returns_table = True

    def _evaluate(self, args: Sequence[Any]) -> _Result:
        values, errors = self._read(args)
        for grid in errors:
            first = next(e for e in grid.ravel() if e is not None)
            raise ArgumentError(first.message, first.code)
        settings = [_setting(p, v) for p, v in zip(self.parameters, values, strict=True)]
        return _Result(self.formula(*settings), cases=0)


def worksheet(
    example: str,
    kind: type[WorksheetFunction] = WorksheetFunction,
    reason: Reason | None = None,
    gives: str = "",
) -> Callable[[Callable[..., Any]], WorksheetFunction]:
    """Make a formula a worksheet function of the catalogue.

    `example` is a formula for a cell; `reason` says in words why a case has no answer; `gives` is
    "params" or "tokens" if the result is a size or an amount of data.
    """

    def wrap(formula: Callable[..., Any]) -> WorksheetFunction:
        function = kind(formula, example, reason, gives)
        FUNCTIONS.append(function)
        return function

    return wrap


def _merged(errors: list[Errors], shape: tuple[int, ...]) -> Errors | None:
    """The errors of all arguments over the result; the leftmost argument's show."""
    if not errors:
        return None
    merged = np.full(shape, None, dtype=object)
    for grid in reversed(errors):
        here = np.broadcast_to(grid, shape)
        merged = np.where(here != None, here, merged)  # noqa: E711 (elementwise)
    return merged


def _read_one(parameter: Parameter, arg: Any) -> tuple[Any, Errors | None]:
    if parameter.domain is not None:
        operand: Operand = operands.read(parameter.name, arg)
        return operand.values, operand.errors
    if parameter.reader is None:
        return arg, None
    value = parameter.reader(arg)
    return value if isinstance(value, tuple) else (value, None)


def _setting(parameter: Parameter, value: Any) -> Any:
    """A setting of a table, which is a single number; columns of runs and the like pass."""
    if parameter.domain is None or (isinstance(value, np.ndarray) and value.dtype == object):
        return value
    if np.size(value) != 1:
        raise ArgumentError(f"{parameter.name} must be a single number: {np.size(value)} given")
    number = float(np.asarray(value).item())
    if number not in parameter.domain:
        raise ArgumentError(f"{parameter.name} must be {parameter.domain.rule}: {number:g}")
    return number


def _shape_of(value: Any) -> tuple[int, ...]:
    if isinstance(value, Laws):
        return value.A.shape
    return np.shape(value) if isinstance(value, np.ndarray | float | int) else ()
