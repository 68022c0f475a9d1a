"""The worksheet functions without an add-in: as LAMBDA names, or written out in cells.

Both are made from one description of straight-line steps (`formulas`, `settings`), which says in
spreadsheet syntax what the Python functions say; signatures and texts are the catalogue's.
"""

from chinchilla_xl.editions.build import PREFIX, LambdaName, inlined, lambda_names

__all__ = ["PREFIX", "LambdaName", "inlined", "lambda_names"]
