"""The embedded stand-in for OpenQM: the household's records in SQLite behind the voice listener."""
