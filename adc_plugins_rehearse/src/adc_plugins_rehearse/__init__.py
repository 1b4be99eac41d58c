"""The gallery: a search engine of real pictures on this machine, for demos and tests."""
