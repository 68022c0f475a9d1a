"""The project in addin/server, run by uvicorn and called by HTTP as Excel calls it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

import parity
import server_process
from chinchilla_xl.functions import FUNCTIONS
from server_process import PROJECT, Client

SLOW = ("FIT_SAMPLES", [parity.SIZES, parity.DATA, parity.LOSSES, [[30000]]])
SHORT = ("OPT_PARAMS", [[[2.13]], [[2e11]], None])


def test_excel_is_told_every_function_with_its_texts(server_port):
    status, body = server_process.get(server_port, "/xlwings/custom-functions-meta.json")
    assert status == 200
    told = {f["name"]: f for f in json.loads(body)["functions"]}
    assert set(told) == {f.name for f in FUNCTIONS}
    for function in FUNCTIONS:
        assert told[function.name]["description"] == function.summary
        parameters = told[function.name]["parameters"]
        assert [p["description"] for p in parameters] == [p.text for p in function.parameters]
        optional = [bool(p.get("optional")) for p in parameters]
        assert optional == [i >= function.required for i in range(len(parameters))]


def test_the_manifest_names_this_add_in_and_gives_functions_no_prefix(server_port):
    status, manifest = server_process.get(server_port, "/manifest")
    assert status == 200
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["xlwings_server"]
    assert f"<Id>{settings['manifest_id_prod']}</Id>" in manifest
    assert "Functions.Namespace" not in manifest
    assert 'DisplayName DefaultValue="chinchilla-xl"' in manifest


def test_a_short_call_is_answered_while_long_ones_of_others_run(server_port):
    finished = []

    def call(name, function, args):
        with closing(Client(server_port)) as client:
            status, body = client.call(function, args)
        finished.append(name)
        return status, len(json.loads(body)["result"])

    with ThreadPoolExecutor() as users:
        long = [users.submit(call, "long", *SLOW) for _ in range(2)]
        threading.Event().wait(0.3)  # the long ones have begun
        short = users.submit(call, "short", *SHORT)
        assert short.result() == (200, 1)
        assert [user.result() for user in long] == [(200, 30000)] * 2
    assert finished == ["short", "long", "long"]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (
            {"type": "FormattedNumber", "basicValue": 7e9, "numberFormat": "$0.00"},
            2.0256094944866825,
        ),
        ({"type": "Double", "basicType": "Double", "basicValue": 7e9}, 2.0256094944866825),
        ({"type": "Error", "errorType": "Calc", "basicValue": "#CALC!"}, None),
        ({"type": "Entity", "basicType": "Error", "basicValue": "#VALUE!", "text": "Stock"}, None),
        ({"type": "String", "basicType": "String", "basicValue": "many"}, None),
    ],
)
def test_rich_cells_are_read_by_the_value_beneath(server, cell, shown):
    status, body = server.call("CHINCHILLA_LOSS", [[[cell]], [[2e12]], None])
    if shown is None:
        assert status == 400
    else:
        assert (status, json.loads(body)) == (200, {"result": [[shown]]})


@pytest.mark.parametrize("loss", [[[1.0]], [[2.13], [1.0]], [[2.13], [None]]])
def test_where_excel_is_too_old_for_error_values_the_whole_result_is_one(server, loss):
    """Text would stand in the cell, and a SUM over it would pass over the error."""
    status, body = server.call("OPT_PARAMS", [loss, [[2e11]], None], runtime="1.3")
    assert status == 400
    assert re.match("#NUM!|#N/A", body)
    assert server.call("OPT_PARAMS", [[[2.13]], [[2e11]], None], runtime="1.3")[0] == 200


def test_a_call_of_no_function_of_ours_is_refused(server):
    status, body = server.call("NO_SUCH_FUNCTION", [])
    assert status == 500
    assert "Traceback" not in body


def test_cells_are_not_converted_one_by_one_by_xlwings():
    """Its converter looks for a module that no server has, in vain, for every cell."""
    code = """
import os
os.environ["XLWINGS_ON_SERVER"] = "true"
import asyncio, xlwings, xlwings.server, xlwings.utils
from chinchilla_xl import excel
def fail(value): raise AssertionError("converted by xlwings")
xlwings.utils.is_jsnull = fail
data = {"func_name": "OPT_PARAMS", "args": [[[2.13]] * 1000, [[2e11]], None],
        "version": xlwings.__version__, "client": "Office.js", "runtime": "1.4"}
print(len(asyncio.run(xlwings.server.custom_functions_call(data, excel))))
"""
    environment = {"XLWINGS_LICENSE_KEY": server_process.licence(), "PATH": ""}
    output = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert output.strip() == "1000"


def test_the_image_is_made_of_files_that_exist():
    root = PROJECT.parent.parent
    lines = (PROJECT / "Dockerfile").read_text().splitlines()
    sources = [name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]]
    assert sources
    if (root / "udfs").exists():
        assert all((root / name).exists() for name in sources)
