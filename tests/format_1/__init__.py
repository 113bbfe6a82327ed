"""Run folders, nights and a state database of format version 1, read by this version."""
