# Run commands of QM one after the other; what they print says how they went, for qm's exit code does not
[CmdletBinding(SupportsShouldProcess)]
param([string] $Program, [string] $Directory, [string] $Account, [int] $Seconds, [string[]] $Commands)
$ErrorActionPreference = 'Stop'

function Invoke-Qm([string] $Command) {
    $start = New-Object System.Diagnostics.ProcessStartInfo
    $start.FileName = $Program
    $start.Arguments = "-quiet -a$Account `"$Command`""
    $start.WorkingDirectory = $Directory
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $process = [System.Diagnostics.Process]::Start($start)
    $process.StandardInput.Close()
    $reading = $process.StandardOutput.ReadToEndAsync()
    if (-not $process.WaitForExit($Seconds * 1000)) {
        $process.Kill()
        throw "QM did not end `"$Command`" within $Seconds seconds."
    }
    # A phantom may hold the output open after the command that started it has ended.
    if ($reading.Wait(5000)) { return $reading.Result.Trim() }
    throw "QM ended `"$Command`", but its output does not end."
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
