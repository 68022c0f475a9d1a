"""Draws the pictures of the templates in docs/images: sheets as LibreOffice prints them, cropped.

`make pictures` runs it. It needs LibreOffice with its Python and pdftotext and pdftoppm (Debian:
libreoffice-calc, python3-uno, poppler-utils), and looks best with the font Carlito.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageChops

from chinchilla_xl.addins.calc.trial import Trial
from chinchilla_xl.recalc.calc_names import rename_file
from chinchilla_xl.soffice import Soffice
from chinchilla_xl.workbooks import TEMPLATES, new

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"

# Picture -> template, width, and pages from the top to the bottom: the page's title, its number among
# the pages of that title, and how much of its height is shown.
PICTURES = {
    "budget.png": ("budget", 1040, [("Results", 1, 1.0)]),
    "budget-sensitivity.png": ("budget", 1040, [("Sensitivity", 1, 1.0)]),
    "budget-tornado.png": ("budget", 660, [("Tornado", 2, 1.0)]),
    "budget-break-even.png": ("budget", 520, [("Break-even", 2, 1.0)]),
    "template-compare.png": ("compare", 1200, [("Models", 1, 1.0), ("Over time", 4, 1.0)]),
    "template-fit.png": ("fit", 1000, [("Budget", 1, 1.0), ("Budget", 3, 1.0)]),
    "template-batch.png": ("batch", 1200, [("scenario", 1, 0.3), ("Results", 1, 0.46), ("Results", 4, 1.0)]),
    "template-paper.png": ("paper", 1200, [("Table 2", 2, 1.0), ("Figure 2", 1, 0.585)]),
}  # fmt: skip
GAP, MARGIN = 24, 12
DPI = 144


def printed(template: str, folder: Path) -> tuple[Path, list[str]]:
    """A template as a PDF, and the first line of each of its pages."""
    book = folder / f"{template}.xlsx"
    new(template, book)
    rename_file(book, for_calc=True)
    trial = Trial(Soffice(), folder / f"{template}-profile")
    failure = Soffice().convert(
        [book.name], "pdf", folder=folder, out=folder, arguments=trial.arguments, timeout=300
    )
    pdf = book.with_suffix(".pdf")
    if not pdf.is_file():
        sys.exit(str(failure))
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout  # fmt: skip
    return pdf, [page.strip().partition("\n")[0] for page in text.split("\f")]


def shown(pdf: Path, page: int, share: float) -> Image.Image:
    """A page as a picture without its margins, from the top down to a share of its content."""
    number = str(page)
    subprocess.run(["pdftoppm", "-r", str(DPI), "-png", "-singlefile", "-f", number, "-l", number, pdf, pdf.with_suffix("")], check=True)  # fmt: skip
    image = Image.open(pdf.with_suffix(".png")).convert("RGB")
    image = image.crop((0, 0, image.width, int(image.height * 0.95)))  # the footer
    left, top, right, bottom = ImageChops.difference(image, Image.new("RGB", image.size, "white")).getbbox()  # fmt: skip
    return image.crop((left, top, right, top + int((bottom - top) * share)))


def stacked(parts: list[Image.Image], width: int) -> Image.Image:
    """The parts below each other on white, as wide as asked for, in 256 colours."""
    tall = sum(part.height + GAP for part in parts) - GAP
    size = max(part.width for part in parts) + 2 * MARGIN, tall + 2 * MARGIN
    whole = Image.new("RGB", size, "white")
    top = MARGIN
    for part in parts:
        whole.paste(part, (MARGIN, top))
        top += part.height + GAP
    height = round(whole.height * width / whole.width)
    return whole.resize((width, height), Image.Resampling.LANCZOS).quantize(256)


def main() -> None:
    """Draw all pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages = {}
        for template in TEMPLATES:
            (folder / f"{template}-profile").mkdir()
            pages[template] = printed(template, folder)
        for picture, (template, width, places) in PICTURES.items():
            pdf, titles = pages[template]
            parts = []
            for title, number, share in places:
                found = [i for i, line in enumerate(titles, start=1) if line.startswith(title)]
                parts.append(shown(pdf, found[number - 1], share))
            stacked(parts, width).save(IMAGES / picture, optimize=True)


if __name__ == "__main__":
    main()
