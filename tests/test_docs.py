"""The documentation: what it says can be run, is up to date with the code, and is whole as a site."""

from __future__ import annotations

import ast
import doctest
import html.parser
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import pytest
from click.testing import CliRunner

import chinchilla_xl
import doc_pages
from chinchilla_xl.cli import cli

DOCS = doc_pages.DOCS
ROOT = DOCS.parent
PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = [ROOT / "README.md", *PAGES, *sorted((ROOT / "addin").glob("*/README.md"))]
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_INLINE = re.compile(r"`(chinchilla-xl [^`]+)`")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(text: str, *languages: str) -> Iterator[str]:
    for language, code in _FENCE.findall(text):
        if language in languages:
            yield code


def commands(code: str) -> Iterator[list[str]]:
    """The arguments of each chinchilla-xl command, however it is called and continued."""
    for line in code.replace("\\\n", " ").replace("^\n", " ").splitlines():
        words = line.strip().replace("\\", "/").split(" ", 1)
        if words[0].rpartition("/")[2] == "chinchilla-xl" and len(words) == 2:
            arguments = shlex.split(words[1], comments=True)
            yield arguments[: arguments.index(">")] if ">" in arguments else arguments


def test_the_pages_of_the_functions_are_up_to_date():
    pages = doc_pages.function_pages()
    kept = {path.relative_to(DOCS).as_posix() for path in (DOCS / "functions").iterdir()}
    assert kept == set(pages), doc_pages.HOW
    for page, text in pages.items():
        assert (DOCS / page).read_text(encoding="utf-8") == text, f"{page}: {doc_pages.HOW}"


@pytest.mark.parametrize("page", doc_pages.BLOCKS)
def test_the_computed_tables_are_up_to_date(page):
    assert (DOCS / page).read_text(encoding="utf-8") == doc_pages.with_blocks(page), doc_pages.HOW


@pytest.mark.parametrize(
    "page", [p for p in PAGES if ">>>" in p.read_text(encoding="utf-8")], ids=name
)
def test_the_examples_of_a_page_are_true(page):
    text = page.read_text(encoding="utf-8")
    examples = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    runner = doctest.DocTestRunner()
    runner.run(examples)
    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.parametrize("page", ["python.md", "recalculation.md", "batches.md"])
def test_the_scripts_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "templates" / "budget.xlsx", tmp_path)
    scripts = [
        code
        for code in blocks((DOCS / page).read_text(encoding="utf-8"), "python")
        if ">>>" not in code
    ]
    assert scripts
    for script in scripts:
        given = {"__name__": "__main__", "chinchilla_xl": chinchilla_xl, "paths": ["budget.xlsx"]}
        exec(script, given)


@pytest.mark.parametrize("page", TEXTS, ids=name)
def test_every_command_is_one_that_there_is(page):
    text = page.read_text(encoding="utf-8")
    for code in blocks(text, "", "bash", "bat", "text"):
        for arguments in commands(code):
            parse(arguments, whole=True)
    for code in _INLINE.findall(" ".join(text.split())):
        for arguments in commands(code):
            parse(arguments, whole=False)


def test_there_are_commands_and_links_to_look_at():
    """What the tests of each page look for is found, so that they are not true of nothing."""
    texts = [page.read_text(encoding="utf-8") for page in TEXTS]
    assert sum(len(list(commands(c))) for t in texts for c in blocks(t, "", "bash", "bat")) > 20
    assert sum(len(_INLINE.findall(" ".join(text.split()))) for text in texts) > 40
    assert sum(len(_LINK.findall(text)) for text in texts) > 100


def parse(arguments: list[str], *, whole: bool) -> None:
    """Read a command line as the program does, without doing it; in a sentence it may be cut short."""
    command: click.Command = cli
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        assert arguments[0] in command.commands, arguments
        command, arguments = command.commands[arguments[0]], arguments[1:]
    if isinstance(command, click.Group) or not arguments:
        return  # the command is only named
    try:
        command.make_context(command.name, list(arguments))
    except click.exceptions.Exit:  # --help
        pass
    except click.UsageError as wrong:
        if isinstance(wrong, click.MissingParameter) and not whole:
            return
        pytest.fail(f"{command.name} {arguments}: {wrong.format_message()}")


@pytest.mark.parametrize("page", ["python.md", "templates.md", "fitting.md"])
def test_the_commands_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(DOCS / "runs-example.csv", tmp_path / "runs.csv")
    lines = [
        arguments
        for code in blocks((DOCS / page).read_text(encoding="utf-8"), "bash")
        for arguments in commands(code)
    ]
    assert lines
    for arguments in lines:
        done = CliRunner().invoke(cli, arguments)
        assert done.exit_code == 0, (arguments, done.output, done.exception)


class Page(html.parser.HTMLParser):
    """What a page of the site links to and loads, and the places that others can link to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.places |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag == "a" and found.get("href") is not None:
            self.links.append(found["href"])
        elif tag == "link" and found.get("rel") not in ("canonical", "prev", "next"):
            self.loads.append(found.get("href") or "")
        elif found.get("src"):
            self.loads.append(found["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(DOCS, folder / "docs")
    for file in ("mkdocs.yml", "CHANGELOG.md"):
        shutil.copy(ROOT / file, folder)
    build = [sys.executable, "-m", "zensical", "build", "--strict"]
    done = subprocess.run(build, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def test_the_site_is_whole_and_loads_nothing_from_elsewhere(site):
    pages = {path: Page(path) for path in site.rglob("*.html")}
    built = {path.relative_to(site).with_suffix(".md").as_posix() for path in pages} - {"404.md"}
    assert built == {path.relative_to(DOCS).as_posix() for path in PAGES}
    for path, page in pages.items():
        for link in page.loads:
            assert not urlsplit(link).netloc, f"{path.name} loads {link}"
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.exists(), f"{path.name} links to {link}"
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].places, f"{path.name}: {link}"
    for sheet in site.rglob("*.css"):
        loaded = re.findall(r"(?:url\(|@import)\s*[\"']?(https?:)?//", sheet.read_text("utf-8"))
        assert not loaded, sheet


def test_every_page_is_in_the_contents():
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in PAGES:
        assert re.search(rf"[ :-] {page.relative_to(DOCS).as_posix()}$", contents, re.MULTILINE), (
            page
        )


@pytest.mark.parametrize("page", TEXTS, ids=name)
def test_every_link_to_a_file_leads_somewhere(page):
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        parts = urlsplit(link)
        if not parts.scheme and parts.path:
            assert (page.parent / unquote(parts.path)).exists(), link


def test_the_package_opens_no_connection_and_runs_no_data_as_code():
    """What docs/security.md says: URLs go to fsspec, clusters to dask, and nothing else is sent."""
    forbidden = {
        "ftplib", "http", "httpx", "marshal", "pickle", "requests", "shelve", "smtplib", "socket",
        "ssl", "urllib.request", "urllib3", "xmlrpc",
    }  # fmt: skip
    package = Path(chinchilla_xl.__file__).parent
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not forbidden & {
                m if m in forbidden else m.partition(".")[0] for m in modules
            }, path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile"), path
