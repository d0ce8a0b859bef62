"""site.yml again: it changes nothing."""


def test_a_second_run_changes_nothing(playbook, assert_unchanged):
    assert_unchanged(playbook("site.yml"))


def test_a_check_predicts_no_change(playbook, assert_unchanged):
    assert_unchanged(playbook("site.yml", "--check", "--diff"))
