# Ansible's modules import module_utils as a part of Ansible: here type checkers and editors find it as that.
from typing import Any

def __getattr__(name: str) -> Any: ...
