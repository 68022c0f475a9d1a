"""The add-ins."""
