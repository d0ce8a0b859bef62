# Read what listens, and whether the firewall lets others reach it
param()
$ErrorActionPreference = 'Stop'
$Ansible.Changed = $false

# Of each rule that lets something in, what it is about: all of them at once, as one by one takes minutes.
$store = @{ PolicyStore = 'ActiveStore' }
$profiles = @(Get-NetFirewallProfile @store)
$open = @($profiles | Where-Object { $_.Enabled -ne 'True' -or $_.DefaultInboundAction -eq 'Allow' })
$ports = @{}
$programs = @{}
$sources = @{}
foreach ($one in @(Get-NetFirewallPortFilter @store)) { $ports[$one.InstanceID] = $one }
foreach ($one in @(Get-NetFirewallApplicationFilter @store)) { $programs[$one.InstanceID] = "$($one.Program)" }
foreach ($one in @(Get-NetFirewallAddressFilter @store)) { $sources[$one.InstanceID] = @($one.RemoteAddress) }
$rules = @(Get-NetFirewallRule @store | Where-Object {
        $_.Direction -eq 'Inbound' -and $_.Action -eq 'Allow' -and $_.Enabled -eq 'True'
    })

function Test-Port([object[]] $Named, [int] $Port) {
    foreach ($part in $Named) {
        if ($part -eq 'Any' -or $part -eq "$Port") { return $true }
        if ("$part" -match '^(\d+)-(\d+)$' -and $Port -ge [int] $Matches[1] -and $Port -le [int] $Matches[2]) { return $true }
    }
    return $false
}

function Get-Admitted([int] $Port, [string] $Program) {
    foreach ($rule in $rules) {
        $about = $ports[$rule.InstanceID]
        if ($null -eq $about -or @('TCP', '6', 'Any') -notcontains "$($about.Protocol)") { continue }
        if (-not (Test-Port @($about.LocalPort) $Port)) { continue }
        $named = [Environment]::ExpandEnvironmentVariables($programs[$rule.InstanceID])
        if ($named -and $named -ne 'Any' -and $named -ne $Program) { continue }
        $sources[$rule.InstanceID]
    }
}

$processes = @{}
foreach ($one in @(Get-CimInstance -ClassName Win32_Process)) { $processes[[int] $one.ProcessId] = $one }
$services = @{}
foreach ($one in @(Get-CimInstance -ClassName Win32_Service -Filter 'ProcessId > 0')) {
    $process = [int] $one.ProcessId
    if (-not $services.ContainsKey($process)) { $services[$process] = @() }
    $services[$process] += "$($one.Name)"
}
$listeners = @()
$sockets = @(Get-NetTCPConnection -State Listen -ErrorAction SilentlyContinue)
foreach ($group in @($sockets | Group-Object -Property LocalPort, OwningProcess)) {
    $first = $group.Group[0]
    $process = [int] $first.OwningProcess
    $about = $processes[$process]
    $path = "$($about.ExecutablePath)"
    if ($process -eq 4) { $path = 'System' }
    $listeners += @{
        port = [int] $first.LocalPort
        addresses = @($group.Group | ForEach-Object { "$($_.LocalAddress)" } | Sort-Object -Unique)
        process = $process
        program = "$($about.Name)"
        path = $path
        services = @(if ($services.ContainsKey($process)) { $services[$process] })
        admitted = @(Get-Admitted ([int] $first.LocalPort) $path | Select-Object -Unique)
    }
}
$Ansible.Result = @{ refuses = $open.Count -eq 0; listeners = $listeners }
