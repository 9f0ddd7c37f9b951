"""What a process says of itself: logs without questions, libraries kept quiet, telemetry turned off."""
