"""The nightly run: snapshot, settlement, plan, publication, accounts."""
