"""Workbooks, inputs and results at URLs: fsspec's memory, a store without atomic puts, and S3.

S3 is moto, a stand-in for Amazon's that answers on this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import fsspec
import openpyxl
import pandas as pd
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from openpyxl.workbook.defined_name import DefinedName

import chinchilla_xl as cx
from chinchilla_xl.recalc import Failure, files
from support import cached, saved

pytestmark = pytest.mark.once


def workbook(factor: int = 10) -> bytes:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B1"] = 2.0, f"=A1*{factor}"
    book.defined_names["size"] = DefinedName("size", attr_text="Sheet!$A$1")
    book.defined_names["result"] = DefinedName("result", attr_text="Sheet!$B$1")
    return saved(book)


def result(data: bytes) -> object:
    return cached(data).active["B1"].value


@pytest.fixture
def memory():
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    fs.pipe_file("/b/a.xlsx", workbook())
    yield fs
    fs.store.clear()


def test_a_workbook_is_recomputed_in_its_place_or_into_another(memory):
    report = cx.recompute("memory://b/a.xlsx", inputs={"size": 3})
    assert (report.path, report.output, report.changed) == (
        "memory://b/a.xlsx", "memory://b/a.xlsx", 1,
    )  # fmt: skip
    assert result(memory.cat_file("/b/a.xlsx")) == 30
    cx.recompute("memory://b/a.xlsx", "memory://c/new.xlsx", {"size": 4})
    assert result(memory.cat_file("/c/new.xlsx")) == 40
    assert result(memory.cat_file("/b/a.xlsx")) == 30


def test_local_and_remote_locations_mix(memory, tmp_path):
    cx.recompute("memory://b/a.xlsx", tmp_path / "local.xlsx")
    assert result((tmp_path / "local.xlsx").read_bytes()) == 20
    outcomes = list(
        cx.recompute_all(
            [tmp_path / "local.xlsx", "memory://b/a.xlsx"], "memory://out/", {"size": 5}
        )
    )
    assert sorted(o.output for o in outcomes) == ["memory://out/a.xlsx", "memory://out/local.xlsx"]
    assert (
        result(memory.cat_file("/out/local.xlsx")) == result(memory.cat_file("/out/a.xlsx")) == 50
    )


def test_one_workbook_goes_to_the_remote_file_that_is_named_unless_that_is_a_folder(memory):
    [outcome] = cx.recompute_all(["memory://b/a.xlsx"], "memory://c/new.xlsx", {"size": 6})
    assert outcome.output == "memory://c/new.xlsx"
    assert result(memory.cat_file("/c/new.xlsx")) == 60
    memory.pipe_file("/d/plans.xlsx/old.txt", b"")
    [outcome] = cx.recompute_all(["memory://b/a.xlsx"], "memory://d/plans.xlsx")
    assert outcome.output == "memory://d/plans.xlsx/a.xlsx"


def test_two_results_may_not_meet_remotely(memory):
    with pytest.raises(
        cx.ArgumentError, match=r"two files would be written to memory://out/a.xlsx"
    ):
        next(cx.recompute_all(["memory://b/a.xlsx", "memory://c/a.xlsx"], "memory://out"))


def test_inputs_are_filled_from_and_into_remote_files(memory):
    memory.pipe_file("/b/in.toml", b"size = 7\n")
    cx.fill("memory://b/a.xlsx", "memory://b/in.toml", "memory://b/filled.xlsx")
    assert result(memory.cat_file("/b/filled.xlsx")) == 70


@pytest.mark.parametrize("jobs", [1, None])
def test_a_sweep_reads_and_writes_remote_tables_and_resumes(memory, tmp_path, monkeypatch, jobs):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    memory.pipe_file("/b/in.csv", b"size\n" + b"".join(b"%d\n" % i for i in range(60)))
    question = "memory://b/a.xlsx", "memory://b/in.csv", ["result"], "memory://b/out.csv"

    def stop(done: int, *_: int) -> None:
        if done >= 50:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        cx.sweep(*question, progress=stop, jobs=jobs)
    assert not memory.exists("/b/out.csv")
    [journal] = (tmp_path / "chinchilla-xl").iterdir()
    assert len(journal.read_text().splitlines()) == 51
    calls: list[int] = []
    cx.sweep(*question, progress=lambda done, *_: calls.append(done), jobs=jobs)
    assert calls == [60]
    assert not journal.exists()
    found = pd.read_csv(memory.open("/b/out.csv"))
    assert found["result"].tolist() == [10 * i for i in range(60)]


def test_a_file_url_is_a_local_file(tmp_path):
    path = tmp_path / "a b.xlsx"
    path.write_bytes(workbook())
    path.chmod(0o640)
    cx.recompute(path.as_uri())
    assert result(path.read_bytes()) == 20
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o640
    assert not files.is_remote(path.as_uri())
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_not_there_and_what_is_unknown_is_said_in_words(memory):
    [missing, broken, unknown] = cx.recompute_all(
        ["memory://b/none.xlsx", "memory://b/bad.xlsx", "nonsense://x/y.xlsx"]
    )
    assert missing == Failure("memory://b/none.xlsx", "WorkbookError", "there is no such file")
    assert broken.error == "there is no such file"
    assert unknown == Failure(
        "nonsense://x/y.xlsx", "UnsupportedFile",
        "nonsense:// is no kind of location that fsspec knows",
    )  # fmt: skip


def test_what_is_missing_is_said_with_what_to_install(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "fsspec", None)
        with pytest.raises(cx.ChinchillaError, match=r'pip install "chinchilla-xl\[remote\]"'):
            cx.recompute("memory://b/a.xlsx")
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(cx.WorkbookError, match="gcsfs is not installed: pip install gcsfs"):
        cx.recompute("gs://bucket/a.xlsx")


def test_local_files_need_no_fsspec(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(workbook())
    code = (
        "import sys; sys.modules['fsspec'] = None; import chinchilla_xl as cx;"
        "import pandas as pd;"
        "cx.recompute('a.xlsx'); list(cx.recompute_all(['a.xlsx'], 'out'));"
        "cx.fill('a.xlsx', {'size': 3}, 'b.xlsx');"
        "cx.sweep('a.xlsx', pd.DataFrame({'size': [1.0]}), ['result'], 'r.csv')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert (tmp_path / "r.csv").exists()


class Plain(MemoryFileSystem):
    """A store where a file that is being written can be seen."""

    protocol = "plain"
    fails = False

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.replace("plain://", "memory://"))

    def pipe_file(self, path, value, **kwargs):
        written.append(path)
        super().pipe_file(path, value[: len(value) // 2] if self.fails else value, **kwargs)
        if self.fails:
            raise OSError("the line was cut")


written: list[str] = []


def test_where_a_put_is_not_atomic_a_file_is_moved_into_place(memory, monkeypatch):
    fsspec.register_implementation("plain", Plain, clobber=True)
    fs = fsspec.filesystem("plain")
    written.clear()
    MemoryFileSystem.pipe_file(fs, "/b/a.xlsx", workbook())
    cx.recompute("plain://b/a.xlsx")
    assert result(fs.cat_file("/b/a.xlsx")) == 20
    assert len(written) == 1
    assert "/b/a.xlsx" not in written
    before = fs.cat_file("/b/a.xlsx")
    monkeypatch.setattr(Plain, "fails", True)
    with pytest.raises(cx.WorkbookError, match="it cannot be written: the line was cut"):
        cx.recompute("plain://b/a.xlsx", inputs={"size": 9})
    assert fs.cat_file("/b/a.xlsx") == before
    assert fs.ls("/b", detail=False) == ["/b/a.xlsx"]


# --- S3 ---


@pytest.fixture(scope="module")
def bucket():
    """The environment of a process that sees a bucket, and a client for the test's own use."""
    pytest.importorskip("s3fs", reason="the driver for S3 is not installed")
    moto = pytest.importorskip("moto.server", reason="moto is not installed")
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    client = boto3.client(
        "s3", endpoint_url=settings["AWS_ENDPOINT_URL"], region_name="us-east-1",
        aws_access_key_id="testing", aws_secret_access_key="testing",
    )  # fmt: skip
    client.create_bucket(Bucket="bucket")
    yield os.environ | settings, client
    server.stop()


def run(*args: object, env, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chinchilla_xl", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=env)


@pytest.mark.filterwarnings("default")  # botocore's own
def test_the_commands_work_on_a_bucket(bucket, tmp_path):
    env, client = bucket

    def put(key: str, data: bytes) -> None:
        client.put_object(Bucket="bucket", Key=key, Body=data)

    def get(key: str) -> bytes:
        return client.get_object(Bucket="bucket", Key=key)["Body"].read()

    for i in range(3):
        put(f"in/b{i}.xlsx", workbook(i))
    put("in.csv", b"size\n1\n2\n")
    urls = [f"s3://bucket/in/b{i}.xlsx" for i in range(3)]
    done = run(
        "recompute", *urls, "s3://bucket/in/none.xlsx", "-o", "s3://bucket/out", "--jobs", 2,
        "--json", env=env, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    reports = json.loads(done.stdout)
    assert [r["path"] for r in reports] == [*urls, "s3://bucket/in/none.xlsx"]
    assert reports[1]["output"] == "s3://bucket/out/b1.xlsx"
    assert reports[3]["error"] == "there is no such file"
    assert [result(get(f"out/b{i}.xlsx")) for i in range(3)] == [0, 2, 4]
    swept = run(
        "sweep", urls[2], "s3://bucket/in.csv", "--outputs", "result", "-o",
        "s3://bucket/results.csv", env=env, cwd=tmp_path,
    )  # fmt: skip
    assert (swept.returncode, swept.stdout) == (0, "s3://bucket/results.csv: 2 scenarios\n")
    assert get("results.csv") == b"size,result,error\n1,2.0,\n2,4.0,\n"
    again = run(
        "sweep", urls[2], "s3://bucket/in.csv", "--outputs", "result", "-o",
        "s3://bucket/results.csv", env=env, cwd=tmp_path,
    )  # fmt: skip
    assert again.returncode == 2
    assert "s3://bucket/results.csv exists already" in again.stderr
    lost = run("recompute", urls[0], "-o", "s3://no-bucket/x", env=env, cwd=tmp_path)
    assert lost.returncode == 3
    assert "cannot be written" in lost.stderr
    assert "Traceback" not in lost.stderr
    assert list(tmp_path.iterdir()) == []
