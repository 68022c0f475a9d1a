"""LibreOffice Calc: the extension, built without a compiler, installed and tried."""
