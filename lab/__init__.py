"""The lab: HAL's whole network on this machine, in containers. `python -m lab` has its verbs."""
