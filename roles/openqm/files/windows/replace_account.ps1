# Put a restored account into the place of QM's; QM is stopped meanwhile, and started again in every case
param(
    [Parameter(Mandatory)][string] $Restored,
    [Parameter(Mandatory)][string] $Account,
    [Parameter(Mandatory)][string] $Service
)
$ErrorActionPreference = 'Stop'
# The way to it in the copy is that of the snapshot it was made from; how the way ends is the same.
$below = Split-Path -NoQualifier $Account
$copies = @(Get-ChildItem -LiteralPath $Restored -Recurse -Directory | Where-Object { $_.FullName -like "*$below" })
if ($copies.Count -ne 1) { throw "Below $Restored there are $($copies.Count) directories *$below instead of one" }
$copy = $copies[0].FullName
if (-not (Test-Path -LiteralPath (Join-Path $copy 'VOC'))) { throw "$copy has no VOC, so it is no account of QM" }
$aside = '{0}.before-{1:yyyyMMdd-HHmmss}' -f $Account, (Get-Date).ToUniversalTime()

# Processes that QM has ended hold their directory for a moment.
function Move-Directory([string] $From, [string] $To) {
    for ($try = 1; ; $try++) {
        try {
            [System.IO.Directory]::Move($From, $To)
            return
        } catch {
            if ($try -ge 30) { throw }
            Start-Sleep -Seconds 1
        }
    }
}

$dependents = @((Get-Service -Name $Service).DependentServices | Where-Object { $_.Status -eq 'Running' })
try {
    Stop-Service -Name $Service -Force # with what depends on it
    Move-Directory $Account $aside
    try {
        Move-Directory $copy $Account
    } catch {
        Move-Directory $aside $Account
        throw
    }
} finally {
    Start-Service -Name $Service
    $dependents | Start-Service
}
$Ansible.Result = @{ aside = $aside }
$Ansible.Changed = $true
