"""The network as its inventory and its catalogue describe it, and what is made of the description.

Only the controller imports this package; the wheel that hosts install is without it. It knows neither Ansible
nor podman, and no file but those that it is given.
"""
