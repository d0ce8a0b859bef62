"""What the tests of the Ansible modules share."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ansible.module_utils
import pytest
from ansible.module_utils.testing import patch_module_args

ROOT = Path(__file__).parent.parent
ansible.module_utils.__path__.append(str(ROOT / "module_utils"))
# Tests read what Ansible prints; people get YAML, which folds long lines.
os.environ["ANSIBLE_CALLBACK_RESULT_FORMAT"] = "json"
# What Python compiles of Ansible's modules is kept: see there.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(ROOT / "tests/interpreter"), *filter(None, [os.environ.get("PYTHONPATH")])]
)

type Result = dict[str, Any]


class ModuleFailed(Exception):
    """A module ended with fail_json; `result` is what it returned."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.get("msg"))
        self.result = result


def load_module(name: str, directory: str = "library") -> Any:
    """Import a module by its bare name once, from a directory of the project that is not on the path."""
    # A module and its action have one name; the modules of a program import each other by theirs.
    known_as = f"{directory}.{name}" if directory == "action_plugins" else name
    if known_as not in sys.modules:
        spec = importlib.util.spec_from_file_location(known_as, ROOT / directory / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[known_as] = module
        spec.loader.exec_module(module)
    return sys.modules[known_as]


@pytest.fixture
def run_module() -> Callable[..., Result]:
    """Run one of the project's modules in this process and return what it prints."""

    def run(name: str, params: Result, *, check: bool = False, diff: bool = False) -> Result:
        module = load_module(name)
        arguments = params | {"_ansible_check_mode": check, "_ansible_diff": diff}
        output = io.StringIO()
        with patch_module_args(arguments), contextlib.redirect_stdout(output), pytest.raises(SystemExit):
            module.main()
        result: Result = json.loads(output.getvalue().strip().splitlines()[-1])
        if result.get("failed"):
            raise ModuleFailed(result)
        return result

    return run
