#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Write all files, directories and links of a role in one call."""

from __future__ import annotations

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.managed_entries import Files, Refused, apply, entries

DOCUMENTATION = r"""
module: managed_files
short_description: Write all files, directories and links of a role in one call
description:
  - Renders templates on the controller, compares them with what is on the host and writes what differs, where
    M(ansible.builtin.template), M(ansible.builtin.copy) and M(ansible.builtin.file) take two calls a file.
  - Entries are handled in the order in which they are given, removals last. A file is replaced at once, by
    renaming, after its own check (O(files[].validate)); so a check that reads another file of the list, as
    that of a configuration with included rules, sees that file as it is going to be.
  - A file without the line C(HAL network writes this file.) that is replaced by one with it, as our templates
    have, is kept once beside it, its name followed by C(.before-hal). So is a link.
  - If anything cannot be done, what this call has written before is put back, and the message says so.
  - Symbolic links on the way to a file are followed only if root or who runs this has laid them, and one in
    the place of a file is replaced. What is not listed is left alone, in directories, too.
  - The contents pass among the arguments of the module, which takes seconds for each ten megabytes. What is
    as large is a download, for M(cached_downloads).
options:
  files:
    description: The entries. No path may be given twice.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Absolute path on the host.
        type: path
        required: true
      state:
        description:
          - V(file) needs one of O(files[].template), O(files[].src) and O(files[].content).
          - V(directory) is made with the directories above it.
          - V(absent) removes a file or a link, and a directory only with O(files[].recurse).
        type: str
        choices: [file, directory, link, absent]
        default: file
      template:
        description: Template, found and rendered as M(ansible.builtin.template) does.
        type: str
      src:
        description:
          - File, found as M(ansible.builtin.copy) does, and decrypted if it is a vault.
          - Of a directory all that is in it is written below O(files[].path), but for C(__pycache__).
        type: str
      content:
        description: The content itself, text.
        type: raw
      each:
        description:
          - Makes an entry for each key of this mapping, which stands in the path for V({}). A template finds
            it as C(item.key) and C(item.value); without a template the value is the content.
        type: dict
      target:
        description: What a link leads to. It need not exist.
        type: str
      mode:
        description: Permissions in octal, such as V("0640"); O(mode) or O(directory_mode) by default.
        type: str
      owner:
        description: Name or number of the user that it belongs to; O(owner) by default.
        type: str
      group:
        description: Name or number of its group; O(group) by default.
        type: str
      recurse:
        description:
          - Whether a directory is removed with all that is in it, or owner and group are those of all that is
            in it.
        type: bool
        default: false
      validate:
        description:
          - Command that must succeed before the file is replaced; V(%s) in it stands for the new file, which
            is beside the old one. It is not run in check mode, where what it needs may not be there.
        type: str
      secret:
        description: Whether the content must not be shown. Neither it nor what a check says of it is.
        type: bool
        default: false
      when:
        description: Whether the entry counts at all.
        type: bool
        default: true
      size:
        description: Bytes of O(contents) that are this file's. Set by the action.
        type: int
  owner:
    description: Owner where an entry has none; without it, files keep theirs.
    type: str
  group:
    description: Group where an entry has none; without it, files keep theirs.
    type: str
  mode:
    description: Permissions of files where an entry has none.
    type: str
    default: "0644"
  directory_mode:
    description: Permissions of directories where an entry has none, and of those that are copied.
    type: str
    default: "0755"
  contents:
    description: The contents of all files, one after the other, compressed. Set by the action.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: A user or group that does not exist yet counts as one that is going to be made.
  diff_mode:
    support: full
    description: Shows the difference of each file that is no secret.
author: HAL network
"""

EXAMPLES = r"""
- name: Write the configuration of the proxy
  managed_files:
    owner: root
    group: root
    files:
      - {path: /etc/haproxy/certificates, state: directory, mode: "0700"}
      - {path: /etc/haproxy/certificates/hal.pem, content: "{{ certificate }}", mode: "0600", secret: true}
      - {path: /etc/haproxy/haproxy.cfg, template: haproxy.cfg.j2, validate: haproxy -c -q -f %s}
      - {path: /etc/haproxy/errors, src: error_pages}
      - {path: /etc/haproxy/old.cfg, state: absent}

- name: Write a timer for each backup
  managed_files:
    files:
      - path: "/etc/systemd/system/backup@{}.timer"
        template: timer.j2
        each: {records: {every: 20}, certificates: {every: 3600}}
"""

RETURN = r"""
changed_paths:
  description: What was changed, or in a check would be, in order.
  type: list
  elements: str
  returned: success
"""

ENTRY_SPEC: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["file", "directory", "link", "absent"], "default": "file"},
    "template": {"type": "str"},
    "src": {"type": "str"},
    "content": {"type": "raw"},
    "each": {"type": "dict"},
    "target": {"type": "str"},
    "mode": {"type": "str"},
    "owner": {"type": "str"},
    "group": {"type": "str"},
    "recurse": {"type": "bool", "default": False},
    "validate": {"type": "str"},
    "secret": {"type": "bool", "default": False},
    "when": {"type": "bool", "default": True},
    "size": {"type": "int"},
}
ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "files": {"type": "list", "elements": "dict", "required": True, "options": ENTRY_SPEC},
    "owner": {"type": "str"},
    "group": {"type": "str"},
    "mode": {"type": "str", "default": "0644"},
    "directory_mode": {"type": "str", "default": "0755"},
    "contents": {"type": "str", "default": "", "no_log": True},
}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    os.umask(0o022)
    files = Files(module)
    try:
        demanded = list(entries(module.params, module.check_mode))
        changes = [change for entry in demanded for change in files.plan(entry)]
        if not module.check_mode:
            apply(changes)
    except Refused as refusal:
        module.fail_json(msg=str(refusal))
    shown = {"diff": [diff for change in changes for diff in change.diffs]} if module._diff else {}
    paths = list(dict.fromkeys(str(change.path) for change in changes))
    module.exit_json(changed=bool(changes), changed_paths=paths, **shown)


if __name__ == "__main__":
    main()
