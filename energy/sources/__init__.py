"""Live sources: one shared HTTP client, one file per source, and series whose every hour says where it is from."""
