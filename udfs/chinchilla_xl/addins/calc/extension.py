"""The extension for LibreOffice Calc as bytes: a zip archive (.oxt), made without a compiler.

Everything in it that names a function is generated from the catalogue: the type library (IDL
source, which LibreOffice reads as it is), the texts of the function wizard (CalcAddIns.xcu), and
the list by which the component makes its methods. The component itself is addin/calc's.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from chinchilla_xl.addins.sources import source
from chinchilla_xl.functions import FUNCTIONS

SERVICE = "chinchilla.xl"
"""The service by which LibreOffice knows the add-in."""

STORED = f"{SERVICE.upper()}."
"""What stands before the name of a function in .ods files, and in .xlsx files before 24.8."""

IDENTIFIER = "chinchilla-xl"
COMPONENT = "chinchilla_xl_calc.py"
STATUS = "CHINCHILLA_STATUS"
"""A function of Calc alone: it says what computes the others, or why nothing does."""

_STATUS_TEXT = (
    "What computes the functions of chinchilla-xl and why arguments were refused last, or what to "
    "install when they cannot be computed."
)
_TYPE = "application/vnd.sun.star."
_MEMBERS = {
    "chinchilla_xl.idl": "uno-typelibrary;type=RDB",
    COMPONENT: "uno-component;type=Python",
    "CalcAddIns.xcu": "configuration-data",
}


def extension() -> bytes:
    """The .oxt; its component finds the packages in the environment that runs this, too."""
    environment = {
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "folders": package_folders(),
    }
    files: dict[str, str | bytes] = {
        "META-INF/manifest.xml": manifest(),
        "description.xml": description(),
        "chinchilla_xl.idl": idl(),
        "CalcAddIns.xcu": configuration(),
        COMPONENT: source("calc", COMPONENT),
        "functions.json": json.dumps([f.name for f in FUNCTIONS], indent=1),
        "environment.json": json.dumps(environment, indent=1),
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            # A fixed date: the same catalogue gives the same bytes.
            info = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
            archive.writestr(info, text, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def package_folders() -> list[str]:
    """Where chinchilla_xl, numpy and scipy are: site-packages, and a checkout's udfs."""
    specs = map(find_spec, ("chinchilla_xl", "numpy", "scipy"))
    folders = [str(Path(s.origin).resolve().parents[1]) for s in specs if s and s.origin]
    return list(dict.fromkeys(folders))


def unpack(place: Path) -> None:
    """Put the extension's files into the folder `place`, in the stead of an older one's."""
    shutil.rmtree(place, ignore_errors=True)
    with zipfile.ZipFile(io.BytesIO(extension())) as archive:
        archive.extractall(place)


def idl() -> str:
    """The interface that the component implements: every argument a number, text or range."""
    methods = [
        f"    sequence< sequence< any > > {f.name}({', '.join(f'[in] any {_inside(p.name)}' for p in f.parameters)});"
        for f in FUNCTIONS
    ]
    lines = ["module chinchilla { module xl {", "  interface XFunctions {", *methods]
    return "\n".join([*lines, f"    any {STATUS}();", "  };", "}; };", ""])


def _inside(parameter: str) -> str:
    """A parameter's name in the type library, where LibreOffice takes no underscores."""
    return parameter.replace("_", "")


def configuration() -> str:
    """CalcAddIns.xcu: names, and the texts of the function wizard."""
    nodes = [
        _function(
            f.name,
            f"{f.summary} Example: {f.example}",
            [(p.name, p.text) for p in f.parameters],
        )
        for f in FUNCTIONS
    ]
    nodes.append(_function(STATUS, _STATUS_TEXT, []))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<oor:component-data xmlns:oor="http://openoffice.org/2001/registry" '
        'oor:name="CalcAddIns" oor:package="org.openoffice.Office">\n'
        f'<node oor:name="AddInInfo">{_node(SERVICE, _group("AddInFunctions", nodes))}</node>\n'
        "</oor:component-data>\n"
    )


def _function(name: str, text: str, parameters: Sequence[tuple[str, str]]) -> str:
    return _node(
        name,
        _text("DisplayName", name)
        # The name in .xlsx files, by which Excel calls the function too.
        + _text("CompatibilityName", name)
        + _text("Description", text)
        + '<prop oor:name="Category"><value>Add-In</value></prop>'
        + _group(
            "Parameters",
            [
                _node(_inside(p), _text("DisplayName", p) + _text("Description", t))
                for p, t in parameters
            ],
        ),
    )


def _node(name: str, content: str) -> str:
    return f'\n<node oor:name={quoteattr(name)} oor:op="replace">{content}</node>'


def _group(name: str, nodes: Sequence[str]) -> str:
    return f"<node oor:name={quoteattr(name)}>{''.join(nodes)}</node>"


def _text(name: str, text: str) -> str:
    return f'<prop oor:name={quoteattr(name)}><value xml:lang="en-US">{escape(text)}</value></prop>'


def manifest() -> str:
    """What is in the archive that LibreOffice registers."""
    entries = [
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="{_TYPE}{kind}"/>'
        for name, kind in _MEMBERS.items()
    ]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<manifest:manifest xmlns:manifest="http://openoffice.org/2001/manifest">\n'
        + "\n".join(entries)
        + "\n</manifest:manifest>\n"
    )


def description() -> str:
    """What the extension manager shows."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<description xmlns="http://openoffice.org/extensions/description/2006"\n'
        ' xmlns:d="http://openoffice.org/extensions/description/2006"\n'
        ' xmlns:l="http://libreoffice.org/extensions/description/2011">\n'
        f'<identifier value="{IDENTIFIER}"/>\n'
        f'<version value="{version(IDENTIFIER)}"/>\n'
        '<display-name><name lang="en">chinchilla-xl</name></display-name>\n'
        '<publisher><name lang="en">The chinchilla-xl developers</name></publisher>\n'
        '<dependencies><l:LibreOffice-minimal-version value="7.4" d:name="LibreOffice 7.4"/>'
        "</dependencies>\n"
        "</description>\n"
    )
