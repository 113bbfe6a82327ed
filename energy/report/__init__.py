"""Report: pictures and pages from Problem, Solution and audit; nothing is computed twice here."""
