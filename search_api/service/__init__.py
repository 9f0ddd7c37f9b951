"""The application, assembled and run."""
