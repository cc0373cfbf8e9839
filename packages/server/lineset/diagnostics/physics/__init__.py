"""Formulas: refrigerants' saturation lines, moist air, water. Vectorised; NaN in, NaN out."""
