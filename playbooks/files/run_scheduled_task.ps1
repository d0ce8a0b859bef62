# Run a scheduled task now and wait until it has ended
param(
    [Parameter(Mandatory)][string] $Path,
    [Parameter(Mandatory)][string] $Name,
    [Parameter(Mandatory)][int] $Patience
)
$ErrorActionPreference = 'Stop'
$begun = Get-Date
Start-ScheduledTask -TaskPath $Path -TaskName $Name
$deadline = $begun.AddSeconds($Patience)
do {
    if ((Get-Date) -ge $deadline) { throw "The task $Path$Name did not end within $Patience s" }
    Start-Sleep -Seconds 1
    $state = (Get-ScheduledTask -TaskPath $Path -TaskName $Name).State
    $last = Get-ScheduledTaskInfo -TaskPath $Path -TaskName $Name
} until ($state -ne 'Running' -and $last.LastRunTime -ge $begun.AddSeconds(-1))
if ($last.LastTaskResult -ne 0) { throw "The task $Path$Name ended with code $($last.LastTaskResult)" }
$Ansible.Result = @{ begun = $begun.ToUniversalTime().ToString('o'); seconds = [int]((Get-Date) - $begun).TotalSeconds }
$Ansible.Changed = $true
