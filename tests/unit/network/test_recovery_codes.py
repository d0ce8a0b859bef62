"""The codes on the recovery kit's sheet, read by a reader of codes and opened as `ansible-vault` does."""

from __future__ import annotations

import re

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret
from tests.code_reader import pictures, read

from hal.network.recovery_codes import MOST_CODES, code_svg, sheet_codes

PASSPHRASE = b"six words that nobody else guesses"
USUAL = {
    "network_backup_secret": "s3cret" * 10,
    "network_backup_offsite": "sftp:hal@away.example:/hal",
    "network_backup_offsite_host_key": "ssh-ed25519 " + "A" * 68,
    "vault_password": "correct horse battery stäple",
}


def vault(passphrase: bytes = PASSPHRASE) -> VaultLib:
    return VaultLib([("default", VaultSecret(passphrase))])


def scanned(values):
    """Return what somebody gets who scans every code of a sheet and puts each on a line of its own."""
    texts, left_out = sheet_codes(values, vault().encrypt)
    said = [read(picture) for text in texts for picture in pictures(code_svg(text))]
    assert said == texts
    return "\n".join(said), left_out


def test_what_is_scanned_is_decrypted_with_the_passphrase_and_with_no_other():
    text, left_out = scanned({**USUAL, "network_backup_offsite_access": {}, "network_backup_store": ""})
    assert yaml.safe_load(vault().decrypt(text)) == USUAL and left_out == []
    with pytest.raises(AnsibleError, match="Decryption failed"):
        vault(b"six words that somebody guesses").decrypt(text)
    assert not [value for value in USUAL.values() if value in text]


@pytest.mark.parametrize("length", [300, 913, 922, 1600, 2300])
def test_what_one_code_cannot_hold_is_in_several(length):
    values = {**USUAL, "network_backup_offsite_ca_certificate": "A" * length}
    text, left_out = scanned(values)
    assert yaml.safe_load(vault().decrypt(text + "\n")) == values and left_out == []


def test_what_needs_too_many_codes_is_left_out_and_named():
    text, left_out = scanned({**USUAL, "network_backup_offsite_ca_certificate": "A" * 4000})
    assert left_out == ["network_backup_offsite_ca_certificate"]
    assert yaml.safe_load(vault().decrypt(text)) == USUAL


def test_the_largest_codes_are_few_and_can_be_told_apart_on_paper():
    largest = next(
        texts
        for length in range(2900, 2000, -50)
        for texts, left_out in [sheet_codes({"a": "s", "b": "B" * length}, vault().encrypt)]
        if not left_out
    )
    assert len(largest) == MOST_CODES
    sides = [int(side) for text in largest for side in re.findall(r'viewBox="0 0 (\d+) ', code_svg(text))]
    assert max(sides) <= 125, "0.76 mm a module at 95 mm"


def test_a_spot_on_the_paper_takes_nothing_from_a_code():
    texts, _ = sheet_codes(USUAL, vault().encrypt)
    (picture,) = pictures(code_svg(texts[0]))
    side = len(picture)
    spot = slice(side // 2, side // 2 + side // 8)
    picture[spot, spot] = 0
    assert read(picture) == texts[0]
    picture[side // 5 :] = 0
    assert read(picture) == ""
