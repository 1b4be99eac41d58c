"""The files that a finished run leaves for people."""

REPORT = "report.html"
"""The page that adc-plugins-publish writes."""

PARQUET, CSV = "findings.parquet", "findings.csv"
"""The table of findings, and the same for a spreadsheet."""

RESULTS = (REPORT, PARQUET, CSV)
"""All of them: what must not be written over."""
