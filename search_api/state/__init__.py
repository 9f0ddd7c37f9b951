"""What a service holds while it runs: settings, the live index, its worker."""
