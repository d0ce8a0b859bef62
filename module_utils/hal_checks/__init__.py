"""Checks that speak the services' own protocols. They run on the hosts, with the standard library alone."""
