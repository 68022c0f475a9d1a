"""Coefficients of the scaling law from training runs.

>>> from chinchilla_xl.fit import fit, bootstrap, Fit, FitError

One file a step: ``runs`` checks the table, ``objective`` is Eq. 4 with its derivatives, ``search``
finds the starts, ``newton`` follows them, ``resampling`` draws again, ``diagnostics`` says what the
runs leave open, ``estimate`` puts these together.
"""

from __future__ import annotations

from chinchilla_xl.fit.estimate import Fit, fit
from chinchilla_xl.fit.resampling import bootstrap
from chinchilla_xl.fit.runs import FitError

__all__ = ["Fit", "FitError", "bootstrap", "fit"]
