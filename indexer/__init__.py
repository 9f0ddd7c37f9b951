import kb  # noqa: F401 - it turns telemetry off, before anything here loads what has some
