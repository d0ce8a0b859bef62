# Arm the guard: save the firewall's rules, and have them brought back unless the guard is taken away in time
param([Parameter(Mandatory)][int] $Seconds)
$ErrorActionPreference = 'Stop'
$saved = Join-Path $env:ProgramData 'HAL\firewall-before.wfw'
$armed = Get-ScheduledTask -TaskPath '\HAL\' -TaskName 'firewall revert' -ErrorAction SilentlyContinue
# A guard that a killed run left holds the rules from before its change: what it saved is kept.
if (-not ($armed -and (Test-Path -LiteralPath $saved))) {
    Remove-Item -LiteralPath $saved -Force -ErrorAction SilentlyContinue
    $said = & "$env:SystemRoot\System32\netsh.exe" advfirewall export $saved
    if (-not (Test-Path -LiteralPath $saved)) { throw "The firewall's rules cannot be saved: $said" }
}
$action = New-ScheduledTaskAction -Execute "$env:SystemRoot\System32\netsh.exe" -Argument "advfirewall import `"$saved`""
$trigger = New-ScheduledTaskTrigger -Once -At (Get-Date).AddSeconds($Seconds)
$settings = New-ScheduledTaskSettingsSet -StartWhenAvailable -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
$principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
$null = Register-ScheduledTask -TaskPath '\HAL\' -TaskName 'firewall revert' -Action $action -Trigger $trigger `
    -Settings $settings -Principal $principal -Description 'Undoes a change of the firewall that locks the controller out' -Force
$Ansible.Changed = $true
