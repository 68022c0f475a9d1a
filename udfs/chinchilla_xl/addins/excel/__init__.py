"""Excel for Windows as a host: the add-in (.xlam), and where it is installed."""
