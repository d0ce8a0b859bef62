# Close other rules: remove those of the group HAL that are not wanted, disable those of others that open our ports
[CmdletBinding(SupportsShouldProcess)]
param([string[]] $Names, [string[]] $Ports)
$ErrorActionPreference = 'Stop'
$left = @(Get-NetFirewallRule -Group 'HAL' -ErrorAction SilentlyContinue | Where-Object { $Names -notcontains $_.DisplayName })
$open = @(Get-NetFirewallPortFilter |
        Where-Object { @($_.LocalPort | Where-Object { $Ports -contains $_ }).Count -gt 0 } |
        Get-NetFirewallRule |
        Where-Object {
            $_.Group -ne 'HAL' -and $_.Direction -eq 'Inbound' -and $_.Action -eq 'Allow' -and $_.Enabled -eq 'True'
        })
$Ansible.Changed = ($left.Count + $open.Count) -gt 0
$Ansible.Result = @{ removed = @($left.DisplayName); disabled = @($open.DisplayName) }
if ($Ansible.CheckMode) { return }
if ($left.Count -gt 0) { $left | Remove-NetFirewallRule }
if ($open.Count -gt 0) { $open | Disable-NetFirewallRule }
