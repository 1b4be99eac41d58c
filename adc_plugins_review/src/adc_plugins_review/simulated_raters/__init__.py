"""Simulated raters: classifiers of limited knowledge that label what they have not seen."""
