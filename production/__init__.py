"""The production inventory, filled in with a few answers: `python -m production.init`."""
