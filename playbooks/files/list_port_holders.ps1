# Name the processes that listen on ports of HAL's and are not HAL's
param(
    [int[]] $Ports = @(),
    [int[]] $QmPorts = @(),
    [Parameter(Mandatory)][string] $QmRecord
)
$ErrorActionPreference = 'Stop'
$Ansible.Changed = $false
$processes = @{}
foreach ($one in @(Get-CimInstance -ClassName Win32_Process)) { $processes[[int] $one.ProcessId] = $one }
$gateway = [int] (Get-CimInstance -ClassName Win32_Service -Filter "Name='HalGateway'").ProcessId
# QM's listeners are HAL's where HAL has installed its programs, also on the port that another mode gives them.
if (Test-Path -LiteralPath $QmRecord) { $QmPorts = $Ports }

function Test-Hals([int] $Process, [int] $Port) {
    if ($processes.ContainsKey($Process) -and $processes[$Process].Name -like 'qm*.exe') { return $QmPorts -contains $Port }
    # The service's own process is Shawl's, which has started launchers, and they have started Python.
    $seen = @()
    while ($processes.ContainsKey($Process) -and $seen -notcontains $Process) {
        if ($Process -eq $gateway) { return $true }
        $seen += $Process
        $Process = [int] $processes[$Process].ParentProcessId
    }
    return $false
}

$sockets = @(Get-NetTCPConnection -State Listen -ErrorAction SilentlyContinue | Where-Object { $Ports -contains $_.LocalPort })
$holders = @()
foreach ($socket in @($sockets | Sort-Object -Property LocalPort, OwningProcess -Unique)) {
    $process = [int] $socket.OwningProcess
    if (Test-Hals $process $socket.LocalPort) { continue }
    $about = $processes[$process]
    $script = ''
    # Of its arguments the script alone: the others can be secret.
    if ("$($about.CommandLine)" -match '([^\\/" ]+\.(py|ps1|js))\b') { $script = $Matches[1] }
    $holders += @{ port = [int] $socket.LocalPort; process = $process; name = "$($about.Name)"; script = $script }
}
$Ansible.Result = @{ holders = $holders }
