"""What Windows tells of Excel: folders by the environment, the rest by the registry."""

from __future__ import annotations

import locale
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

from chinchilla_xl.errors import ProgramMissing

_APP_PATH = r"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe"
_CLICK_TO_RUN = r"SOFTWARE\Microsoft\Office\ClickToRun\Configuration"
_SECURITY = r"Microsoft\Office\16.0\Excel\Security"
_NO_MACROS = 4  # VBAWarnings: disable all macros, without a question


class Installation(NamedTuple):
    """An Excel of this machine; what is not known is empty."""

    path: str
    version: str
    platform: str


def require() -> None:
    """Raise ProgramMissing where Excel cannot load an add-in that calls Python."""
    if sys.platform != "win32":
        raise ProgramMissing(
            "Excel calls Python on this machine on Windows alone: use the add-in for xlwings Lite in "
            "Excel on macOS or the web, or LibreOffice (chinchilla-xl addin install --host calc)"
        )


def startup_folder() -> Path:
    """Where Excel loads every workbook when it starts, and trusts it."""
    return _variable("APPDATA") / "Microsoft" / "Excel" / "XLSTART"


def home() -> Path:
    """What xlwings' VBA takes for the user's folder."""
    return _variable("USERPROFILE")


def encoding() -> str:
    """How VBA reads text files: the ANSI code page."""
    return locale.getencoding()


def excel() -> Installation | None:
    """The installed Excel."""
    path = registry("HKEY_LOCAL_MACHINE", _APP_PATH, "")
    if not path:
        return None
    version = registry("HKEY_LOCAL_MACHINE", _CLICK_TO_RUN, "VersionToReport")
    platform = registry("HKEY_LOCAL_MACHINE", _CLICK_TO_RUN, "Platform")
    return Installation(str(path), str(version or ""), str(platform or ""))


def macros_disabled() -> bool:
    """Whether a setting or a policy keeps all macros from running, even in trusted folders."""
    for root in (r"Software\Policies", "Software"):
        security = rf"{root}\{_SECURITY}"
        locations = rf"{security}\Trusted Locations"
        untrusted = registry("HKEY_CURRENT_USER", locations, "AllLocationsDisabled") == 1
        if untrusted and registry("HKEY_CURRENT_USER", security, "VBAWarnings") == _NO_MACROS:
            return True
    return False


def registry(hive: str, key: str, name: str) -> Any:
    """A value of the registry; None if it is not there."""
    import winreg

    module: Any = winreg
    try:
        with module.OpenKey(getattr(module, hive), key) as opened:
            return module.QueryValueEx(opened, name)[0]
    except OSError:
        return None


def _variable(name: str) -> Path:
    value = os.environ.get(name)
    if not value:
        raise ProgramMissing(
            f"the environment variable {name} is not set, so Excel's folder is not known"
        )
    return Path(value)
