# Read what a Windows host has beside Windows and HAL
param()
$ErrorActionPreference = 'Stop'
$Ansible.Changed = $false
$unread = @()

function Read-Part([string] $Name, [scriptblock] $Part) {
    try { & $Part } catch { $script:unread += "$Name cannot be read: $($_.Exception.Message)" }
}

# Of what is started the program alone: its arguments can be secret.
$services = @(Read-Part 'what is started as a service' {
        Get-CimInstance -ClassName Win32_Service -Filter "StartMode='Auto'" |
            Where-Object { "$($_.PathName)" -notmatch '(?i)^"?(\\\?\?\\)?(%SystemRoot%|[A-Z]:\\Windows)\\' } |
            ForEach-Object { @{ name = "$($_.Name)"; title = "$($_.DisplayName)"; user = "$($_.StartName)" } }
    })
$tasks = @(Read-Part 'the scheduled tasks' {
        Get-ScheduledTask |
            Where-Object { $_.TaskPath -notlike '\Microsoft\*' -and $_.State -ne 'Disabled' } |
            ForEach-Object {
                $run = @($_.Actions | ForEach-Object { "$($_.Execute)" } | Where-Object { $_ })
                @{ name = "$($_.TaskPath)$($_.TaskName)"; programs = $run; user = "$($_.Principal.UserId)" }
            }
    })
$users = @(Read-Part 'the users' {
        Get-LocalUser | Where-Object { $_.Enabled } | ForEach-Object { "$($_.Name)" }
    })
$disks = @(Read-Part 'the disks' {
        Get-Volume |
            Where-Object { $_.DriveType -eq 'Fixed' -and $_.DriveLetter -and "$($_.DriveLetter):" -ne $env:SystemDrive } |
            ForEach-Object { @{ letter = "$($_.DriveLetter)"; type = "$($_.FileSystem)"; gib = [int] ($_.Size / 1GB) } }
    })
$Ansible.Result = @{ services = $services; tasks = $tasks; users = $users; disks = $disks; unread = $unread }
