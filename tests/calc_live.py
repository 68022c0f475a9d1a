"""A person at work in LibreOffice Calc, as a program: it types formulas and edits cells through UNO.

Run by a Python that has `uno`, with the name of the pipe at which LibreOffice listens; prints what
the cells showed, and times, as JSON. The tests read that; this file imports nothing of theirs.
"""

import json
import sys
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.sheet.FillDirection import TO_BOTTOM

ROWS = 20_000
ROUNDS = 3
PATIENCE = 60


def connected(pipe):
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext(
        "com.sun.star.bridge.UnoUrlResolver", local
    )
    for _ in range(10 * PATIENCE):
        try:
            context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return context.ServiceManager.createInstanceWithContext(
                "com.sun.star.frame.Desktop", context
            ), context
        except NoConnectException:
            time.sleep(0.1)
    sys.exit("LibreOffice did not start")


def typed(sheet, address, formula):
    cell = sheet.getCellRangeByName(address)
    cell.FormulaLocal = formula
    return cell


def editing(sheet):
    """What cells show before and after an input changes."""
    sheet.getCellRangeByName("A1").Value = 7e9
    loss = typed(sheet, "B1", "=CHINCHILLA_LOSS(A1;2E12)")
    size = typed(sheet, "B2", "=OPT_PARAMS(B1;5E12)")
    refused = typed(sheet, "B3", "=CHINCHILLA_LOSS(-A1;2E12)")
    sheet.getCellRangeByName("C1:D2").setArrayFormula("=CHINCHILLA.XL.CHINCHILLA_LOSS(A1:A2;E1:F1)")
    for address, value in (("A2", 1e9), ("E1", 1e12), ("F1", 2e12)):
        sheet.getCellRangeByName(address).Value = value
    before = [loss.Value, size.Value]
    sheet.getCellRangeByName("A1").Value = 13e9
    grid = [list(row) for row in sheet.getCellRangeByName("C1:D2").getDataArray()]
    status = typed(sheet, "B4", "=CHINCHILLA_STATUS()")
    return {
        "before": before,
        "after": [loss.Value, size.Value],
        "stored": loss.Formula,
        "error": [refused.String, refused.getError()],
        "grid": grid,
        "status": status.String,
    }


def timing(document, sheet):
    """Seconds for a full recalculation of ROWS formulas, native ones and ours in turn."""
    sheet.getCellRangeByName(f"A1:B{ROWS}").setDataArray(
        tuple((7e9 + 1e5 * i, 2e12 + i) for i in range(ROWS))
    )
    area = sheet.getCellRangeByName(f"C1:C{ROWS}")
    formulas = {
        "native": "=1.69+406.4/A1^0.336+410.7/B1^0.283",
        "ours": "=CHINCHILLA.XL.CHINCHILLA_LOSS(A1;B1)",
    }
    seconds = {name: [] for name in formulas}
    for _ in range(ROUNDS):
        for name, formula in formulas.items():
            area.getCellByPosition(0, 0).setFormula(formula)
            area.fillAuto(TO_BOTTOM, 1)
            document.calculateAll()
            start = time.perf_counter()
            document.calculateAll()
            seconds[name].append(time.perf_counter() - start)
    return {**seconds, "value": sheet.getCellRangeByName(f"C{ROWS}").Value}


def wizard(context):
    """The function wizard's texts, by function."""
    listed = context.ServiceManager.createInstanceWithContext(
        "com.sun.star.sheet.FunctionDescriptions", context
    )
    found = {}
    for i in range(listed.Count):
        properties = {p.Name: p.Value for p in listed.getByIndex(i)}
        arguments = [[a.Name, a.Description] for a in properties["Arguments"] or ()]
        found[properties["Name"]] = [properties["Description"], arguments]
    return found


def main():
    desktop, context = connected(sys.argv[1])
    hidden = PropertyValue()
    hidden.Name, hidden.Value = "Hidden", True
    document = desktop.loadComponentFromURL("private:factory/scalc", "_blank", 0, (hidden,))
    sheet = document.Sheets.getByIndex(0)
    found = {"editing": editing(sheet), "wizard": wizard(context)}
    sheet.clearContents(1023)
    found["timing"] = timing(document, sheet)
    sys.stdout.write(json.dumps(found))
    document.close(True)
    desktop.terminate()


main()
