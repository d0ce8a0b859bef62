# Put restic into its place: the archive's program has the name of its version and system
param([Parameter(Mandatory)][string] $Unpacked, [Parameter(Mandatory)][string] $Program)
$ErrorActionPreference = 'Stop'
$found = @(Get-ChildItem -LiteralPath $Unpacked -Filter 'restic*.exe')
if ($found.Count -ne 1) { throw "The archive of restic has $($found.Count) programs instead of one." }
Move-Item -LiteralPath $found[0].FullName -Destination $Program -Force
Remove-Item -LiteralPath $Unpacked -Recurse -Force
$Ansible.Changed = $true
