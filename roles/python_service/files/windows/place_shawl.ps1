# Put Shawl into its place, by renaming, once it is what it should be
param([Parameter(Mandatory)][string] $Unpacked, [Parameter(Mandatory)][string] $Program, [Parameter(Mandatory)][string] $Sha256)
$ErrorActionPreference = 'Stop'
$found = (Get-FileHash -LiteralPath (Join-Path $Unpacked 'shawl.exe') -Algorithm SHA256).Hash
if ($found -ne $Sha256) { throw "The archive of Shawl holds a program with the SHA-256 $found instead of $Sha256." }
$null = New-Item -ItemType Directory -Path (Split-Path -Parent $Program) -Force
Move-Item -LiteralPath (Join-Path $Unpacked 'shawl.exe') -Destination $Program -Force
Remove-Item -LiteralPath $Unpacked -Recurse -Force
$Ansible.Changed = $true
