"""About: what the workbook is for, how to use it, and where its figures come from."""

from __future__ import annotations

from chinchilla_xl.workbooks.standard import Words

WORDS = Words(
    title="Lifetime budget of a language model",
    purpose=(
        "Training plus serving of a language model, for a target quality and a demand: how large, on how much data, at what cost, and when.",
        "Method: Sardana et al., Beyond Chinchilla-Optimal, arXiv 2401.00448, Eqs. 1, 3 and 6. Prices are assumptions, not quotes.",
    ),
    steps=(
        "On Inputs, choose a scenario and edit the blue cells: quality, demand, GPU prices, fleet, dates.",
        "Look at the line under the title of any sheet: it must say OK. If not, Checks says what to do.",
        "On Results, read size, data, dollars, days and present cost of the three models; Scenarios sets the four scenarios side by side.",
        "On Sensitivity, Tornado, Break-even and Data, see what the answer hangs on; their axes and factors can be edited, too.",
        "Before others rely on it, replace every assumption by a figure of your own, and write its source beside it.",
    ),
    log=(
        ("Scaling law, optimum", "Sardana et al., arXiv 2401.00448v2 (ICML 2024)", "July 2024; Eqs. 1, 3 and 6, settings of Sec. 6 and App. B.3"),
        ("Coefficient sets", "see Sources: Hoffmann et al., Besiroglu et al., ...", "2022 to 2024; the choice dominates every answer"),
        ("GPU prices and peaks", "see Sources: Lambda, Nebius, ...", "October 2023 to May 2026; dated copies, not quotes"),
        ("Stock of text", "Villalobos et al., arXiv 2211.04325", "2022; intervals and growth as published"),
        ("Demand, fleet, rates", "assumptions", "to be replaced by your own"),
    ),
    notes=(
        "Demand: Table 3 of arXiv 2401.00448 says 70 input and 215 output tokens a request.",
        "Its figures come out when 215 is the whole request (70 + 145); read literally, every cost is about 10% higher.",
        "Enter 215 output tokens a request for that reading.",
        "MFU: training 40-60%, input near training, output about 1% (arXiv 2401.00448, Sec. 6).",
        "Coefficients: the choice dominates every answer. At 5.76E23 FLOPs the optimal size is 32B (hoffmann-rounded), 42B (chinchilla) or 72B (besiroglu).",
        "The sizes are the cheapest at the prices of the first month; falling prices and discounting make later serving cheaper, and so favour somewhat larger models.",
    ),
)  # fmt: skip
