"""What can be told of Windows tasks by reading: their arguments, and the PowerShell that they send."""
