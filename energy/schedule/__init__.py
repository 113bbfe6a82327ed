"""Schedules: which job holds which GPUs when, from the program, from a rule or from an older plan."""
