# Run commands of QM one after the other; what they print says how they went, for qm's exit code does not
[CmdletBinding(SupportsShouldProcess)]
param([string] $Program, [string] $Directory, [string] $Account, [int] $Seconds, [string[]] $Commands)
$ErrorActionPreference = 'Stop'

# Input is an empty file and output goes to one: a phantom that inherits them cannot hold up who reads.
function Invoke-Qm([string] $Command) {
    $name = Join-Path ([System.IO.Path]::GetTempPath()) ('hal-' + [guid]::NewGuid().ToString('N'))
    $null = New-Item -ItemType File -Path "$name.in"
    try {
        $process = Start-Process -FilePath $Program -ArgumentList "-quiet -a$Account `"$Command`"" -WorkingDirectory $Directory `
            -RedirectStandardInput "$name.in" -RedirectStandardOutput "$name.out" -NoNewWindow -PassThru
        if (-not $process.WaitForExit($Seconds * 1000)) {
            $process.Kill()
            throw "QM did not end `"$Command`" within $Seconds seconds."
        }
        return "$(Get-Content -LiteralPath "$name.out" -Raw)".Trim()
    } finally {
        Remove-Item -Path "$name.*" -Force -ErrorAction SilentlyContinue
    }
}

$Ansible.Changed = $false
$Ansible.Result = @{ output = @() }
if ($Ansible.CheckMode) { return }
foreach ($command in $Commands) {
    $said = Invoke-Qm $command
    $last = "$(($said -split '\r?\n')[-1])".Trim()
    $Ansible.Result.output += "$command`: $said"
    if ($command -like 'BASIC *') {
        if ($said -notmatch '(^|\s)0 error\(s\)') { throw "$command does not compile: $said" }
    } elseif ($command -like 'RUN *') {
        if ($last -notmatch '^(installed|unchanged|started|stopped|loaded)$') { throw "$command`: $said" }
        if ($last -ne 'unchanged') { $Ansible.Changed = $true }
    } else {
        $Ansible.Changed = $true
    }
}
