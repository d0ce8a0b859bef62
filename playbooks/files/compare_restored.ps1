# Compare restored files with those they are copies of, as far as nobody has written to these since
param(
    [Parameter(Mandatory)][string] $Original,
    [Parameter(Mandatory)][string] $Restored,
    [Parameter(Mandatory)][string] $Since
)
$ErrorActionPreference = 'Stop'

function Get-Digest([string] $Path) {
    # QM holds its files open for writing.
    $file = [IO.File]::Open($Path, 'Open', 'Read', 'ReadWrite, Delete')
    $sha256 = [Security.Cryptography.SHA256]::Create()
    try {
        return [BitConverter]::ToString($sha256.ComputeHash($file))
    } finally {
        $sha256.Dispose()
        $file.Dispose()
    }
}

# A minute earlier than the copy: what was written while it was made may be in it or not.
$limit = [DateTime]::Parse($Since).ToUniversalTime().AddMinutes(-1)
$root = (Get-Item -LiteralPath $Original).FullName.TrimEnd('\')
# A backup of a snapshot has its own way to the directory; how the way ends is the same.
$below = Split-Path -NoQualifier $root
$copies = @(Get-ChildItem -LiteralPath $Restored -Recurse -Directory | Where-Object { $_.FullName -like "*$below" })
if ($copies.Count -ne 1) { throw "Below $Restored there are $($copies.Count) directories *$below instead of one" }
$equal = 0
$faults = @()
foreach ($file in Get-ChildItem -LiteralPath $root -Recurse -File | Where-Object { $_.LastWriteTimeUtc -lt $limit }) {
    $copy = Join-Path $copies[0].FullName $file.FullName.Substring($root.Length + 1)
    if (-not (Test-Path -LiteralPath $copy)) {
        $faults += "$copy is missing"
    } elseif ((Get-Digest $file.FullName) -ne (Get-Digest $copy)) {
        $faults += "$copy differs"
    } else {
        $equal++
    }
}
$Ansible.Result = @{ equal = $equal; faults = $faults }
$Ansible.Changed = $false
