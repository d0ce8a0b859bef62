# Put restored files where they are missing; one that differs from what is there gets another name beside it
param(
    [Parameter(Mandatory)][string] $Restored,
    [Parameter(Mandatory)][string] $Path,
    [Parameter(Mandatory)][string] $Suffix
)
$ErrorActionPreference = 'Stop'
$below = Split-Path -NoQualifier $Path
$copies = @(Get-ChildItem -LiteralPath $Restored -Recurse -Directory | Where-Object { $_.FullName -like "*$below" })
if ($copies.Count -ne 1) { throw "Below $Restored there are $($copies.Count) directories *$below instead of one" }
$copy = $copies[0].FullName
if (-not (Test-Path -LiteralPath $Path)) { # all at once, or nothing, on the same volume
    [System.IO.Directory]::Move($copy, $Path)
    $Ansible.Result = @{ added = @($Path) }
    $Ansible.Changed = $true
    return
}
$added = @()
foreach ($file in Get-ChildItem -LiteralPath $copy -Recurse -File) {
    $place = Join-Path $Path $file.FullName.Substring($copy.Length + 1)
    if (Test-Path -LiteralPath $place) {
        if ((Get-FileHash -LiteralPath $place).Hash -eq (Get-FileHash -LiteralPath $file.FullName).Hash) { continue }
        $place = "$place.$Suffix"
        if (Test-Path -LiteralPath $place) { continue } # of the same snapshot, restored before
    }
    $null = New-Item -ItemType Directory -Force -Path (Split-Path -Parent $place)
    Copy-Item -LiteralPath $file.FullName -Destination $place
    $added += $place
}
$Ansible.Result = @{ added = $added }
$Ansible.Changed = $added.Count -gt 0
