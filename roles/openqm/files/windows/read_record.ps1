# Read the record of what was installed last
param([string] $Path)
$Ansible.Changed = $false
$Ansible.Result = @{ digest = '' }
if (Test-Path -LiteralPath $Path) { $Ansible.Result = @{ digest = [System.IO.File]::ReadAllText($Path).Trim() } }
