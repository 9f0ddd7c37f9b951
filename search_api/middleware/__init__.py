"""What every request passes: access, limits, caching."""
