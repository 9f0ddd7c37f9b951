"""What commands share: options, progress, summaries and exit codes."""
