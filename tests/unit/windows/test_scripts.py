"""The check of scripts: what Windows PowerShell 5.1 cannot run is found and named."""

import pytest
from inspection.scripts import check

LATER = [
    ("a && b", "&&"),
    ("a || b", "||"),
    ("$x = $a ? 1 : 2", "the operator ? :"),
    ("$x ?? 1", "the operator ??"),
    ("$x ??= 1", "the operator ??="),
    ("1..3 | ForEach-Object -Parallel { $_ }", "the parameter -parallel of foreach-object"),
    ("Get-Content x -AsByteStream", "the parameter -asbytestream of get-content"),
    ("'{}' | ConvertFrom-Json -AsHashtable", "the parameter -ashashtable of convertfrom-json"),
    ("Invoke-WebRequest https://x -SkipCertificateCheck", "the parameter -skipcertificatecheck"),
    ("Remove-Service x", "the command remove-service"),
    ("if ($IsWindows) { }", "the variable $iswindows"),
    ("Set-Content x -Encoding 'utf8NoBOM'", "the encoding utf8nobom"),
    ('Write-Output "`u{41}"', "the escape `u{"),
    ("function f { begin { } clean { } }", "the block clean"),
]
BROKEN = ["if (1) {", "Get-Item )", "${a}?.b", "@{ a = 1", "$x = 'unfinished"]
CLEAN = [
    "# a && b\n$x = 'a || b'",
    'cmd.exe /c "a && b"',
    "if ($null -eq $x) { $x = 1 } else { $x = 2 }",
    '[CmdletBinding(SupportsShouldProcess)]\nparam([Parameter()][string]$Name)\n"$($Name.Length) ``e"',
    "Get-Service -Name QMSvc | Where-Object { $_.Status -eq 'Running' } | Select-Object -First 1",
    "try { & 'C:\\x y\\qm.exe' -suspend } finally { & 'C:\\x y\\qm.exe' -resume }",
    "$text = @'\na && b ?? c\n'@",
]


@pytest.mark.parametrize(("script", "what"), LATER)
def test_what_came_later_is_named(script, what):
    faults = check("# first line\n" + script)
    assert any(fault.startswith(f"line 2: PowerShell 5.1 has not {what}") for fault in faults)


@pytest.mark.parametrize("script", BROKEN)
def test_what_cannot_be_parsed_is_shown(script):
    assert any("cannot be parsed" in fault for fault in check(script))


@pytest.mark.parametrize("script", CLEAN)
def test_what_5_1_knows_passes(script):
    assert check(script) == []
