"""Asking servers: HTTP, cache, rate limits, credentials."""
