"""Files are there as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from hal.network.files import write_private


def test_a_link_stays_and_what_it_names_is_written(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/vault.yml").write_text("old")
    link = tmp_path / "vault.yml"
    link.symlink_to("kept/vault.yml")
    write_private(link, b"new")
    assert link.is_symlink() and (tmp_path / "kept/vault.yml").read_text() == "new"


def test_the_content_is_on_the_disk_before_it_takes_the_old_ones_place(tmp_path, monkeypatch):
    done = []

    def fsync(descriptor: int) -> None:
        done.append(("fsync", os.fstat(descriptor).st_size))

    def replace(self: Path, target: Path) -> Path:
        done.append(("replace", target.name))
        return target

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    write_private(tmp_path / "vault.yml", b"new")
    assert done == [("fsync", 3), ("replace", "vault.yml")]
