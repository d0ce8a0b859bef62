"""The alerts are those of docs/monitoring.md, with something to do; each has its case for promtool."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from ansible.module_utils.hal_checks import backups
from ansible.module_utils.hal_checks.target import Target

ROOT = Path(__file__).parents[3]
ROLE = ROOT / "roles/monitoring"


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    """Return the alerts that the role's template makes with its defaults, and one backup."""
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    environment = jinja2.Environment(
        variable_start_string="[[",
        variable_end_string="]]",
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    text = (ROLE / "templates/rules.yml.j2").read_text().partition("\n")[2]
    wanted = {"ansible_managed": "", "monitoring_backups": [{"host": "qm1", "item": "engine"}]}
    rendered = environment.from_string(text).render(defaults | wanted)
    return [rule for group in yaml.safe_load(rendered)["groups"] for rule in group["rules"]]


def test_every_alert_says_what_is_and_what_to_do(rules: list[dict[str, Any]]) -> None:
    for rule in rules:
        said = rule["annotations"]
        assert set(said) == {"summary", "action"}, rule["alert"]
        assert said["summary"].endswith((".", "{{ end }}")), rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning", "none"), rule["alert"]


def test_the_table_lists_each_alert_once_with_its_severity(rules: list[dict[str, Any]]) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", (ROOT / "docs/monitoring.md").read_text(), re.MULTILINE)
    assert rows == [(rule["alert"], rule["labels"]["severity"]) for rule in rules]


def test_each_alert_has_its_case(rules: list[dict[str, Any]]) -> None:
    cases = yaml.safe_load((ROOT / "molecule/monitoring/tests/cases.yml").read_text())
    assert list(cases) == [rule["alert"] for rule in rules]
    silent = [name for name, case in cases.items() if not case["fires"] or not case["quiet"]]
    assert silent == ["Watchdog"]  # which always fires


def test_an_alert_comes_when_the_check_fails() -> None:
    """Roles know nothing of the checks, so both say it; one that came later would contradict the report."""
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    limits = {field.name: field.default for field in dataclasses.fields(Target)}
    assert defaults["monitoring_certificate_days"] == limits["minimum_certificate_days"]
    assert defaults["monitoring_proof_days"] * backups.DAY_S == backups.PROVEN_FOR_S
