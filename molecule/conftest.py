"""What the tests of all scenarios have in common: one that fails shows what its services said."""

import pytest

LINES = 40


def pytest_configure(config):
    meaning = "units(*names): the units that these tests are about; one that fails shows their journal"
    config.addinivalue_line("markers", meaning)


@pytest.fixture
def program(host):
    """Run hal-backup; it succeeds unless told otherwise."""

    def run(arguments, code=0):
        done = host.run(f"hal-backup {arguments}")
        assert done.rc == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture
def weighed(host):
    """Have systemd weigh a unit, exposed to a tenth of `most` at the most; return what it says."""

    def weigh(unit, most=40):
        said = host.run(f"systemd-analyze security --no-pager --threshold={most} {unit}.service")
        assert said.rc == 0, said.stdout
        return said.stdout

    return weigh


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    host, units = item.funcargs.get("host"), item.get_closest_marker("units")
    if report.failed and host and units:
        for name in units.args:
            said = host.run("systemctl status --no-pager --full --lines %s %s", str(LINES), name)
            report.sections.append((f"{name} on the host", said.stdout + said.stderr))
    return report
