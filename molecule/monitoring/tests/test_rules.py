"""Every alert fires when it must and not before, as promtool computes it from the rules on the host."""

import re
from pathlib import Path

import pytest
import yaml

CASES = yaml.safe_load((Path(__file__).parent / "cases.yml").read_text())


@pytest.fixture(scope="module")
def rules(host):
    """Return the alerts on the host by their names."""
    groups = yaml.safe_load(host.file("/etc/prometheus/rules/hal.yml").content_string)["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def promtool(host, tests):
    """Run tests against the rules on the host; return what promtool says and its exit code."""
    content = {"rule_files": ["/etc/prometheus/rules/hal.yml"], "evaluation_interval": "1m", "tests": tests}
    path = "/tmp/rules_test.yml"
    host.check_output(f"cat > {path} <<'END'\n{yaml.safe_dump(content, allow_unicode=True)}\nEND")
    done = host.run(f"promtool test rules {path}")
    return done.rc, done.stdout + done.stderr


def case(name, series, alerts):
    """Return one of promtool's tests."""
    looked_at = {"alertname": name, "eval_time": CASES[name]["at"], "exp_alerts": alerts}
    inputs = [{"series": labels, "values": values} for labels, values in series.items()]
    return {"interval": "1m", "input_series": inputs, "alert_rule_test": [looked_at]}


def test_every_alert_has_its_case(rules):
    assert rules.keys() == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_an_alert_fires_with_its_sentence(host, rules, name):
    labels = CASES[name]["labels"]
    action = re.sub(
        r"\{\{ \$labels\.(\w+) \}\}", lambda match: labels[match[1]], rules[name]["annotations"]["action"]
    )
    alert = {
        "exp_labels": labels | rules[name]["labels"],
        "exp_annotations": {"summary": CASES[name]["summary"], "action": action},
    }
    code, said = promtool(host, [case(name, CASES[name]["fires"], [alert])])
    assert code == 0, said


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["quiet"]])
def test_an_alert_keeps_quiet(host, name):
    code, said = promtool(host, [case(name, CASES[name]["quiet"], [])])
    assert code == 0, said
