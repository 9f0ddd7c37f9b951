"""Logs without questions, and libraries without output or telemetry."""
