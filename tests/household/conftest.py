"""The lab of the profile `household`, as the test of adoption uses it: as the end-to-end tests do."""

from __future__ import annotations

from tests.e2e.conftest import assert_unchanged, hal, lab, on, playbook

__all__ = ["assert_unchanged", "hal", "lab", "on", "playbook"]
