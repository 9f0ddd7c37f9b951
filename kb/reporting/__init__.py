"""What a process tells others: logs without questions, libraries without output or telemetry."""
