"""Requests to servers, within their rules and the user's bounds."""
