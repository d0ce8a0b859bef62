"""The lab, as the drills use it: as the end-to-end tests do."""

from __future__ import annotations

from tests.e2e.conftest import assert_unchanged, lab, on, playbook

__all__ = ["assert_unchanged", "lab", "on", "playbook"]
