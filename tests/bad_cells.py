"""Workbooks whose cells are impossible, and formulas made to exhaust whoever computes them."""

from __future__ import annotations

from collections.abc import Callable

from chinchilla_xl.errors import BrokenFile, TooLarge, UnsupportedFile
from chinchilla_xl.recalc import Report
from chinchilla_xl.recalc.addresses import column_letters
from corpus import CALC, SHEET, Case, edited, with_cell, with_formula, with_rows

_F = "<f>1+1</f>"


def rows_of(formulas: list[str], attributes: str = "") -> Callable[[], bytes]:
    """Formulas under each other from A9 on."""
    return with_rows(
        "".join(
            f'<row r="{i}"><c r="A{i}"><f{attributes}>{f}</f><v>7</v></c></row>'
            for i, f in enumerate(formulas, 9)
        )
    )


def array(formula: str, area: str, cm: str = "") -> Callable[[], bytes]:
    return with_cell(f'<c r="A9"{cm}><f t="array" ref="{area}">{formula}</f><v>7</v></c>')


def dynamic(formula: str) -> Callable[[], bytes]:
    return array(formula, "A9", ' cm="1"')


PLACES: dict[str, Case] = {
    "rows out of order": Case(
        with_rows(f'<row r="9"><c r="A9">{_F}</c></row><row r="8"><c r="A8">{_F}</c></row>'),
        BrokenFile,
        "row 8 out of order",
    ),
    "a row twice": Case(
        with_rows(f'<row r="9"><c r="A9">{_F}</c></row><row r="9"><c r="A9">{_F}</c></row>'),
        BrokenFile,
        "row 9 out of order",
    ),
    "a cell twice": Case(with_cell(f'<c r="A9">{_F}</c><c r="A9"/>'), BrokenFile, "out of order"),
    "cells out of order": Case(
        with_cell(f'<c r="B9">{_F}</c><c r="A9"/>'), BrokenFile, "out of order"
    ),
    "a cell in the wrong row": Case(
        with_cell(f'<c r="A10">{_F}</c>'), BrokenFile, "a cell of row 10 in row 9"
    ),
    "a row below the sheet": Case(
        with_rows(f'<row r="1048577"><c r="A1048577">{_F}</c></row>'), BrokenFile, "of the sheet"
    ),
    "a row of 10^30": Case(with_rows(f'<row r="{10**30}"><c>{_F}</c></row>'), BrokenFile, "row"),
    "a negative row": Case(with_rows(f'<row r="-4"><c>{_F}</c></row>'), BrokenFile, "row"),
    "row 0": Case(with_rows(f'<row r="0"><c r="A0">{_F}</c></row>'), BrokenFile, "row"),
    "an empty row number": Case(with_rows(f'<row r=""><c>{_F}</c></row>'), BrokenFile, "row"),
    "a row number in words": Case(with_rows(f'<row r="nine"><c>{_F}</c></row>'), BrokenFile, "row"),
    "a column beyond the sheet": Case(
        with_cell(f'<c r="XFE9">{_F}</c>'), BrokenFile, "of the sheet"
    ),
    "a column of five letters": Case(with_cell(f'<c r="ABCDE9">{_F}</c>'), BrokenFile, "ABCDE9"),
    "a cell's address in words": Case(with_cell(f'<c r="here">{_F}</c>'), BrokenFile, "here"),
    "a cell's address in R1C1": Case(with_cell(f'<c r="R9C1">{_F}</c>'), BrokenFile, "R9C1"),
    "an empty address": Case(with_cell(f'<c r="">{_F}</c>'), BrokenFile, "no place"),
    "small letters": Case(with_cell(f'<c r="a9">{_F}</c>'), BrokenFile, "a9"),
    "no addresses at all": Case(with_rows(f"<row><c>{_F}</c></row>"), Report),
    "the last cell of the sheet": Case(
        with_rows(f'<row r="1048576"><c r="XFD1048576">{_F}</c></row>'), Report
    ),
    "16,385 cells without address": Case(
        with_rows(f'<row r="9">{"<c/>" * 16_384}<c>{_F}</c></row>'), BrokenFile, "of the sheet"
    ),
    "a style that is not there": Case(with_cell(f'<c r="A9" s="4000000">{_F}</c>'), Report),
    "a negative style": Case(with_cell(f'<c r="A9" s="-1">{_F}</c>'), Report),
    "an area of the sheet that is no area": Case(
        edited(SHEET, "<sheetData>", '<dimension ref="nowhere"/><sheetData>'), Report
    ),
    "merged cells that are no cells": Case(
        edited(SHEET, "</sheetData>", '</sheetData><mergeCells><mergeCell ref="x"/></mergeCells>'),
        Report,
    ),
}


def _value(kind: str, text: str) -> Callable[[], bytes]:
    """A formula in A9 with a bad cached value, and a constant in B9 with the same."""
    return with_cell(
        f'<c r="A9"{kind}><f>1+1</f><v>{text}</v></c><c r="B9"{kind}><v>{text}</v></c>'
        "<c r='C9'><f>B9</f></c>"
    )


VALUES: dict[str, Case] = {
    "a number that is a text": Case(_value("", "many"), BrokenFile, "number"),
    "1e999": Case(_value(' t="n"', "1e999"), Report),
    "nan": Case(_value(' t="n"', "nan"), BrokenFile, "number"),
    "inf": Case(_value(' t="n"', "-inf"), BrokenFile, "number"),
    "a denormal number": Case(_value(' t="n"', "4.9E-324"), Report),
    "a number of 100,000 digits": Case(_value("", "1" * 100_000), Report),
    "a number with a comma": Case(_value("", "1,5"), BrokenFile, "number"),
    "an unknown error": Case(_value(' t="e"', "#OOPS!"), Report),
    "an error that is none": Case(_value(' t="e"', "7"), Report),
    "#SPILL!": Case(_value(' t="e"', "#SPILL!"), Report),
    "a boolean of 7": Case(_value(' t="b"', "7"), Report),
    "a boolean in words": Case(_value(' t="b"', "maybe"), Report),
    "an unknown type": Case(_value(' t="zzz"', "1"), BrokenFile, "Unknown cell"),
    "a formula whose value is a shared string": Case(
        with_cell(f'<c r="A9" t="s">{_F}<v>0</v></c>'), Report
    ),
    "a formula whose value is no shared string": Case(
        with_cell(f'<c r="A9" t="s">{_F}<v>many</v></c>'), Report
    ),
    "a date that is none": Case(_value(' t="d"', "31st of June"), Report),
    "a text of 40,000 characters": Case(_value(' t="str"', "x" * 40_000), Report, "#VALUE!"),
    "an empty text": Case(_value(' t="str"', ""), Report),
    "two values": Case(with_cell(f'<c r="A9">{_F}<v>1</v><v>2</v></c>'), BrokenFile, "two values"),
    "two formulas": Case(with_cell(f'<c r="A9">{_F}{_F}<v>1</v></c>'), UnsupportedFile, "formulas"),
    "a value before the formula": Case(
        with_cell(f'<c r="A9"><v>1</v>{_F}</c>'), UnsupportedFile, "behind values"
    ),
    "a text with unpaired surrogates": Case(_value(' t="str"', "_xD800_ and _xDFFF_"), Report),
}

SHARED: dict[str, Case] = {
    "a shared formula without leader": Case(
        with_formula("", ' t="shared" si="7"'), BrokenFile, "share a formula that is not there"
    ),
    "a shared formula without number": Case(
        with_formula("", ' t="shared"'), BrokenFile, "share a formula that is not there"
    ),
    "shared formulas that need each other": Case(
        with_rows(
            '<row r="9"><c r="A9"><f t="shared" si="3" ref="A9:A10">A10+1</f><v>7</v></c></row>'
            '<row r="10"><c r="A10"><f t="shared" si="3"/><v>7</v></c></row>'
            '<row r="11"><c r="A11"><f t="shared" si="3"/><v>7</v></c></row>'
        ),
        Report,
    ),
    "a shared formula that needs itself": Case(
        with_formula("A9+1", ' t="shared" si="3" ref="A9:A20"'), Report, "circular"
    ),
    "a shared formula that leaves the sheet": Case(
        with_rows(
            '<row r="9"><c r="A9"><f t="shared" si="3" ref="A9:A10">A1048576</f><v>7</v></c></row>'
            '<row r="10"><c r="A10"><f t="shared" si="3"/><v>7</v></c></row>'
        ),
        Report,
        "off the sheet",
    ),
    "a shared formula over the whole sheet": Case(
        with_formula("1+1", ' t="shared" si="3" ref="A1:XFD1048576"'), Report
    ),
    "two leaders of one group": Case(
        edited(CALC, '<f t="shared" si="0"/>', '<f t="shared" si="0" ref="A2:A9">1+1</f>'), Report
    ),
    "an unknown kind of formula": Case(with_formula("1+1", ' t="magic"'), Report),
}

ARRAYS: dict[str, Case] = {
    "an array over the whole sheet": Case(
        array("1+1", "A9:XFD1048576"), TooLarge, "more than it holds"
    ),
    "an array over a column": Case(array("1+1", "A9:A1048576"), TooLarge, "more than it holds"),
    "an array whose area is no area": Case(array("1+1", "nowhere"), BrokenFile, "nowhere"),
    "an array whose area is empty": Case(array("1+1", ""), BrokenFile, "fills ''"),
    "an array without area": Case(with_formula("1+1", ' t="array"'), BrokenFile, "fills ''"),
    "an array whose area is elsewhere": Case(array("1+1", "C20:D21"), BrokenFile, "C20:D21"),
    "an array backwards": Case(array("1+1", "B10:A9"), Report),
    "an array of 20,000 cells": Case(array("1+1", "A9:A20008"), Report, "10,000 cells"),
    "an array of three cells": Case(array("1+1", "A9:B10:C11"), BrokenFile, "A9:B10:C11"),
    "an array of columns": Case(array("1+1", "A:B"), BrokenFile, "A:B"),
    "arrays that overlap": Case(
        with_rows(
            '<row r="9"><c r="A9"><f t="array" ref="A9:B10">{1,2;3,4}</f><v>7</v></c>'
            '<c r="B9"><f t="array" ref="B9:C10">{1,2;3,4}</f><v>7</v></c></row>'
        ),
        BrokenFile,
        "B9 lies in the array of A9",
    ),
    "an array over formulas": Case(
        with_rows(
            '<row r="9"><c r="A9"><f t="array" ref="A9:A10">{1;2}</f><v>7</v></c></row>'
            f'<row r="10"><c r="A10">{_F}<v>7</v></c></row>'
        ),
        BrokenFile,
        "A10",
    ),
    "10,000 arrays over a column each": Case(
        with_cell(
            "".join(
                f'<c><f t="array" ref="{column_letters(i)}9:{column_letters(i)}1048576">1+{i}</f></c>'
                for i in range(1, 10_001)
            )
        ),
        TooLarge,
        "more than it holds",
    ),
    "a data table": Case(
        with_formula("", ' t="dataTable" ref="A9:B10" dt2D="1" dtr="1" r1="A1" r2="A2"'),
        Report,
        "a data table",
    ),
    "a data table over the sheet": Case(
        with_formula("", ' t="dataTable" ref="A1:XFD1048576" r1="A1"'),
        TooLarge,
        "more than it holds",
    ),
    "a data table of itself": Case(
        with_formula("", ' t="dataTable" ref="A9:A9" r1="A9"'), Report, "a data table"
    ),
    "a spill of the whole sheet": Case(
        dynamic("SEQUENCE(1048576,16384)"), Report, "cannot compute"
    ),
    "a spill of 10^7 cells": Case(dynamic("SEQUENCE(10^6,10)"), Report, "cannot compute"),
    "a spill of 10^7 cells, its size in a cell": Case(
        with_cell(
            '<c r="A9" cm="1"><f t="array" ref="A9">SEQUENCE(B9,10)</f><v>7</v></c><c r="B9"><v>1000000</v></c>'
        ),
        Report,
        "cannot compute",
    ),
    "a spill that is summed": Case(
        with_formula("SUM(SEQUENCE(1048576,16384))"), Report, "cannot compute"
    ),
    "a spill of 20,000 cells": Case(dynamic("SEQUENCE(200,100)"), Report, "than the engine spills"),
    "a spill of a negative size": Case(dynamic("SEQUENCE(-5)"), Report, "cannot compute"),
    "a spill off the sheet": Case(
        with_rows(
            '<row r="1048576"><c r="XFD1048576" cm="1"><f t="array" ref="XFD1048576">SEQUENCE(5,5)</f><v>7</v></c></row>'
        ),
        Report,
        "blocked",
    ),
    "a spill onto itself": Case(dynamic("A10:A12+1"), BrokenFile, "cannot evaluate"),
    "a spill of RANDARRAY": Case(dynamic("RANDARRAY(10000,10000)"), Report, "random"),
    "stacks that double": Case(
        dynamic(
            "LET(a,SEQUENCE(1000),"
            + "".join(f"{chr(c + 1)},VSTACK({chr(c)},{chr(c)})," for c in range(97, 120))
            + "SUM(x))"
        ),
        Report,
        "its arrays may come to more than",
    ),
    "an outer product of 4 * 10^9 cells": Case(
        with_formula("SUMPRODUCT(B10:B65545*C9:XFD9)"), Report, "its arrays may come to more than"
    ),
}

CHAIN = 10_000

EXHAUSTING: dict[str, Case] = {
    "1,000 parentheses": Case(with_formula("(" * 1000 + "1" + ")" * 1000), Report, "parsed"),
    "100,000 parentheses": Case(with_formula("(" * 100_000 + "1" + ")" * 100_000), Report, "long"),
    "60 parentheses": Case(with_formula("(" * 60 + "1" + ")" * 60), Report),
    "1,000 calls in calls": Case(with_formula("ABS(" * 1000 + "1" + ")" * 1000), Report, "parsed"),
    "1,000 signs": Case(with_formula("-" * 1000 + "1"), Report, "parse"),
    "5,000 operators": Case(with_formula("1" + "+1" * 4000), Report, "parse"),
    "5,000 powers": Case(with_formula("1" + "^1" * 4000), Report, "parse"),
    "5,000 joins": Case(with_formula('"a"' + "&A2" * 2000), Report, "nested too deep"),
    "2,000 comparisons": Case(with_formula("1" + "=1" * 2000), Report, "nested too deep"),
    "a formula of 10^6 characters": Case(with_formula("1" + "+1" * 500_000), Report, "long"),
    "a text of 10^6 characters in a formula": Case(
        with_formula('LEN("' + "x" * 1_000_000 + '")'), Report, "long"
    ),
    "a formula of 10^6 quotes": Case(with_formula('"' * 1_000_000), Report, "long"),
    "a formula of 8,000 brackets": Case(with_formula("[" * 8_000), Report, "parsed"),
    "a formula of 8,000 braces": Case(with_formula("{" * 8_000), Report, "parsed"),
    "a formula of 8,000 blanks": Case(with_formula("1" + " " * 8_000 + "+ 1"), Report),
    "a formula of 8,000 exclamation marks": Case(
        with_formula("A1" + "!" * 8_000), Report, "no sheet"
    ),
    "a formula of 8,000 colons": Case(
        with_formula("A1" + ":A1" * 2_600), Report, "cannot be parsed"
    ),
    "a formula of 8,000 quotes": Case(with_formula("'" * 8_001), Report, "parsed"),
    "a formula of letters": Case(with_formula("A" * 8_000), Report, "no name"),
    "a number of 8,000 digits": Case(with_formula("1" * 8_000), Report, "beyond the largest"),
    "1E999": Case(with_formula("1E999"), Report, "beyond the largest"),
    "a number with two points": Case(with_formula("1.2.3+A2"), Report, "no name"),
    "a formula of line ends": Case(with_formula("1\n+\r\n1\t"), Report),
    "a formula of emoji": Case(with_formula('"\U0001f40b"&A2'), Report),
    "a formula with private characters": Case(with_formula('"\ue001"&A2'), Report, "parsed"),
    "a formula that is no formula": Case(with_formula("=)(*&^%"), Report, "parsed"),
    "2,000 arguments": Case(
        with_formula("SUM(" + ",".join(["A2"] * 2000) + ")"), Report, "so many arguments"
    ),
    "an array constant of 8,000 characters": Case(
        with_formula("SUM({" + ",".join("1" * 4000) + "})"), Report
    ),
    "an array constant whose rows differ": Case(with_formula("SUM({1,2;3})"), Report, "parse"),
    "a formula that links to a file": Case(
        with_formula("'file:///etc/[passwd]x'!A1"), Report, "link"
    ),
    "DDE": Case(with_formula("cmd|' /C calc'!A0"), Report, "no name"),
    "WEBSERVICE": Case(with_formula('WEBSERVICE("http://example.org")'), Report, "WEBSERVICE"),
    "an unknown function": Case(with_formula("FROBNICATE(1)"), Report, "FROBNICATE"),
    "a circle of one": Case(with_formula("A9"), Report, "circular"),
    "a circle of a range": Case(with_formula("SUM(A1:A20)"), Report, "circular"),
    "a circle of a column": Case(with_formula("SUM(A:A)"), Report, "circular"),
    "a circle of 1,000": Case(
        rows_of([*(f"A{i + 1}+1" for i in range(9, 1008)), "A9"]), Report, "circular"
    ),
    "a circle through two sheets": Case(with_formula("Calc!A1+Data!A9"), Report, "circular"),
    f"a chain of {CHAIN:,}": Case(
        rows_of(["1", *(f"A{i}+1" for i in range(9, CHAIN + 8))]), Report
    ),
    f"a chain of {CHAIN:,} upwards": Case(
        rows_of([*(f"A{i + 1}+1" for i in range(9, CHAIN + 8)), "1"]), Report
    ),
    "a storm of volatile functions": Case(
        rows_of(["NOW()+TODAY()+RAND()"] * 2_000), Report, "random"
    ),
    "times": Case(rows_of(["NOW()-TODAY()"] * 2_000), Report),
    "2,000 sums of columns": Case(rows_of(["SUM(B:B)+SUM(C:Z)"] * 2_000), Report),
    "2,000 sums of the sheet": Case(rows_of(["SUM(Calc!1:1048576)"] * 2_000), Report),
    "SUMPRODUCT of 65,536 cells": Case(with_formula("SUMPRODUCT(B10:B65545,C10:C65545)"), Report),
    "an array of 65,536 computed cells": Case(
        dynamic("B10:B65545*C10:C65545"), Report, "than the engine spills"
    ),
    "a REPT of 10^9 letters": Case(with_formula('REPT("x",10^9)'), Report, "#VALUE!"),
    "a REPT that is measured": Case(with_formula('LEN(REPT("x",10^9))'), Report, "#VALUE!"),
    "REPTs that explode": Case(
        rows_of(['REPT("x",32767)', *(f"REPT(A{i},32767)" for i in range(9, 14))]),
        Report,
        "#VALUE!",
    ),
    "joins that double": Case(
        rows_of(['"ab"', *(f"A{i}&amp;A{i}" for i in range(9, 70))]), Report, "#VALUE!"
    ),
    "SUBSTITUTEs that explode": Case(
        rows_of(['REPT("x",1000)', *(f'SUBSTITUTE(A{i},"x","xxxxxxxxxx")' for i in range(9, 24))]),
        Report,
        "#VALUE!",
    ),
    "TEXTJOINs that double": Case(
        rows_of(['"ab"', *(f'TEXTJOIN("",TRUE,A{i},A{i},A{i},A{i})' for i in range(9, 40))]),
        Report,
        "#VALUE!",
    ),
    "numbers that explode": Case(rows_of(["10", *(f"A{i}*A{i}" for i in range(9, 40))]), Report),
    "FACT and COMBIN of large numbers": Case(
        rows_of(
            [
                "FACT(10^9)",
                "COMBIN(10^9,5*10^8)",
                "FACTDOUBLE(10^9)",
                "MULTINOMIAL(10^6,10^6)",
                "GCD(10^15,3)",
                "BASE(10^15,2,255)",
            ]
        ),
        Report,
    ),
    "dates beyond all calendars": Case(
        rows_of(
            [
                "DATE(9999,10^9,1)",
                "EDATE(1,10^9)",
                "WORKDAY(1,10^9)",
                "NETWORKDAYS(1,10^9)",
                "EOMONTH(10^9,10^9)",
            ]
        ),
        Report,
        "cannot compute",
    ),
    "a loan over 10^9 months": Case(
        rows_of(
            ["CUMIPMT(0.01,10^9,1000,1,10^9,0)", "DDB(100,1,10^9,10^9)", "DB(100,1,10^9,10^9)"]
        ),
        Report,
        "cannot compute",
    ),
    "a distribution of 10^9 trials": Case(
        rows_of(
            [
                "BINOM.DIST(5*10^8,10^9,0.5,TRUE)",
                "POISSON.DIST(10^9,10^9,TRUE)",
                "NEGBINOM.DIST(10^9,10,0.5,TRUE)",
                "HYPGEOM.DIST(10^8,10^9,10^9,2*10^9,TRUE)",
            ]
        ),
        Report,
    ),
    "fits of bad runs": Case(with_formula("FIT_COEFFS(A1:A3,A1:A3,A1:A3)"), Report),
    "a fit of a million resamples": Case(
        with_formula("FIT_SAMPLES(A2:A3,A2:A3,A2:A3,10^6)"), Report
    ),
    "coefficients of nonsense": Case(with_formula('OPT_PARAMS(2,1E12,"no such set")'), Report),
}

CELLS = PLACES | VALUES | SHARED | ARRAYS | EXHAUSTING
