"""The decision is asked for on the controller, so that its modules must be importable here."""

import ansible.module_utils
from tests.conftest import ROOT

UTILITIES = str(ROOT / "module_utils")
if UTILITIES not in ansible.module_utils.__path__:
    ansible.module_utils.__path__.append(UTILITIES)
