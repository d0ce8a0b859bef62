"""The command `hal`: ask HAL by text or voice from a Mac or a Linux machine."""
