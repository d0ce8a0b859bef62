# End a process of a service as a crash would, and wait until others run in its place
param(
    [Parameter(Mandatory)][string] $Service,
    [Parameter(Mandatory)][ValidateSet('program', 'wrapper')][string] $Which,
    [Parameter(Mandatory)][int] $Patience
)
$ErrorActionPreference = 'Stop'

function Get-Wrapper {
    # The service's own process is Shawl's.
    (Get-CimInstance -ClassName Win32_Service -Filter "Name='$Service'").ProcessId
}

function Get-Descendant([int] $Process) {
    # What Shawl has started is a launcher, which has started Python's launcher, which has started Python.
    foreach ($child in @(Get-CimInstance -ClassName Win32_Process -Filter "ParentProcessId=$Process")) {
        if ($child.Name -ne 'conhost.exe') { $child.ProcessId }
        Get-Descendant $child.ProcessId
    }
}

$wrapper = Get-Wrapper
$programs = @(if ($wrapper) { Get-Descendant $wrapper })
if ($programs.Count -eq 0) { throw "The service $Service runs nothing: look at Get-Service $Service" }
if ($Which -eq 'wrapper') { $ended = $wrapper } else { $ended = $programs[0] }
Stop-Process -Id $ended -Force
$deadline = (Get-Date).AddSeconds($Patience)
do {
    if ((Get-Date) -ge $deadline) { throw "Nothing took the place of the $Which of $Service within $Patience s" }
    Start-Sleep -Milliseconds 500
    $successor = Get-Wrapper
    $now = @(if ($successor) { Get-Descendant $successor } )
} until ($now.Count -gt 0 -and $now -notcontains $ended -and $successor -ne $ended)
# One that outlives its parent keeps the port, and its successor fails for ever.
$left = @(Get-Process -Id $programs -ErrorAction SilentlyContinue | Where-Object { $now -notcontains $_.Id })
if ($left.Count -gt 0) { throw "Processes of $Service have outlived its $Which`: $($left.Id -join ', ')" }
$Ansible.Result = @{ before = $ended; after = $now[0] }
$Ansible.Changed = $true
