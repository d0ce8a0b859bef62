"""What a role writes from a template of its own, without a run of Ansible for each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

init_plugin_loader()  # for the filters of the roles
ROLES = Path(__file__).parents[1] / "roles"


def rendered(role: str, template: str, variables: Mapping[str, Any]) -> str:
    """Return what ansible.builtin.template makes of a role's template.

    Args:
        role: the role's name.
        template: the file's name in its `templates`, without `.j2`.
        variables: what is told besides the role's `defaults` and `vars`; may hold templates itself.
    """
    loader = DataLoader()
    known: dict[str, Any] = {"ansible_managed": "Ansible managed"}
    for file in ("defaults", "vars"):
        if (path := ROLES / role / file / "main.yml").exists():
            known |= loader.load_from_file(str(path), trusted_as_template=True) or {}
    known |= loader.load(trust_as_template(json.dumps(variables)))
    path = ROLES / role / "templates" / f"{template}.j2"
    templar = Templar(loader).copy_with_new_env(searchpath=[str(path.parent)], available_variables=known)
    text = trust_as_template(path.read_text())
    return str(templar.template(text, escape_backslashes=False, overrides={"trim_blocks": True}))
