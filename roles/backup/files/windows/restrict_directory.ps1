# Restrict the backup's directory to administrators and the system
[CmdletBinding(SupportsShouldProcess)]
param([Parameter(Mandatory)][string] $Path)
$ErrorActionPreference = 'Stop'
$wanted = 'D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)'
$Ansible.Changed = $true
if (Test-Path -LiteralPath $Path) {
    $acl = Get-Acl -LiteralPath $Path
    $Ansible.Changed = $acl.GetSecurityDescriptorSddlForm('Access') -ne $wanted
}
if (-not $Ansible.Changed -or $Ansible.CheckMode) { return }
$acl.SetSecurityDescriptorSddlForm($wanted, 'Access')
[System.IO.Directory]::SetAccessControl($Path, $acl)
