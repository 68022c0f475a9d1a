"""python -m chinchilla_xl: the command line."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say which extra it needs."""
    try:
        from chinchilla_xl.cli import main as run
    except ImportError as missing:
        sys.stderr.write(f"Error: {missing}\n")
        sys.exit(3)  # cli_support's REFUSED, which is out of reach just now
    run()


if __name__ == "__main__":
    main()
