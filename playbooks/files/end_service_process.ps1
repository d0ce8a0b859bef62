# End a process of a service as a crash would, and wait until another one runs in its place
param(
    [Parameter(Mandatory)][string] $Service,
    [Parameter(Mandatory)][ValidateSet('program', 'wrapper')][string] $Which,
    [Parameter(Mandatory)][int] $Patience
)
$ErrorActionPreference = 'Stop'

function Get-Wanted {
    # The service's own process is Shawl; the program is what Shawl has started.
    $wrapper = (Get-CimInstance -ClassName Win32_Service -Filter "Name='$Service'").ProcessId
    if (-not $wrapper) { return 0 }
    if ($Which -eq 'wrapper') { return $wrapper }
    $child = @(Get-CimInstance -ClassName Win32_Process -Filter "ParentProcessId=$wrapper" |
            Where-Object { $_.Name -ne 'conhost.exe' })
    if ($child.Count -eq 0) { return 0 }
    return $child[0].ProcessId
}

$before = Get-Wanted
if (-not $before) { throw "The service $Service has no such process: does it run? Get-Service $Service" }
Stop-Process -Id $before -Force
$deadline = (Get-Date).AddSeconds($Patience)
do {
    if ((Get-Date) -ge $deadline) { throw "Nothing took the place of the $Which of $Service within $Patience s" }
    Start-Sleep -Milliseconds 500
    $after = Get-Wanted
} until ($after -and $after -ne $before)
$Ansible.Result = @{ before = $before; after = $after }
$Ansible.Changed = $true
