"""JSON and TOML in and out, and their schemas."""
