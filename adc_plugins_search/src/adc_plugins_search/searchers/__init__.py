"""Searchers: engines that offer images for a query, page by page."""
