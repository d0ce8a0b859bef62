# Read the record of what runs: the release and the digest of its settings, written after the last good start
param([string] $Path, [string] $Service)
$ErrorActionPreference = 'Stop'
$Ansible.Changed = $false
$release, $digest = '', ''
if (Test-Path -LiteralPath $Path) { $release, $digest = ([System.IO.File]::ReadAllText($Path)).Trim() -split ' ' }
if ($release -eq 'none') { $release = '' }
$present = Get-Service -Name $Service -ErrorAction SilentlyContinue
$Ansible.Result = @{
    release = "$release"
    digest = "$digest"
    exists = $null -ne $present
    running = $null -ne $present -and $present.Status -eq 'Running'
}
