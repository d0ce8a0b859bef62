# Finish the release: point the link `current` to it, and remove releases that are neither new nor in use
[CmdletBinding(SupportsShouldProcess)]
param([string] $Directory, [string] $Release, [string] $Previous, [int] $Keep)
$ErrorActionPreference = 'Stop'
$link = Join-Path $Directory 'current'
$target = Join-Path $Directory "releases\$Release"
$present = Get-Item -LiteralPath $link -Force -ErrorAction SilentlyContinue
$points = $null -ne $present -and @($present.Target) -contains $target
$kept = @($Release, $Previous) | Where-Object { $_ }
$others = @(Get-ChildItem -LiteralPath (Join-Path $Directory 'releases') -Directory -ErrorAction SilentlyContinue |
        Where-Object { $kept -notcontains $_.Name } | Sort-Object -Property CreationTimeUtc -Descending |
        Select-Object -Skip ([Math]::Max(0, $Keep - @($kept | Select-Object -Unique).Count)))
$Ansible.Changed = -not $points -or $others.Count -gt 0
$Ansible.Result = @{ pruned = @($others | ForEach-Object { $_.Name }) }
if ($Ansible.CheckMode) { return }
if (-not $points) {
    # Nothing runs through the link, the service names its release: so it may be missing for a moment.
    if ($null -ne $present) { [System.IO.Directory]::Delete($link) }
    $null = New-Item -ItemType Junction -Path $link -Target $target
}
$others | ForEach-Object { Remove-Item -LiteralPath $_.FullName -Recurse -Force }
