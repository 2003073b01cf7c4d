"""Media files: what they are by their content, and keeping them by their SHA-256."""
