"""Diagnosis: how machines perform, what is wrong with them, and what comes next."""
