"""Sending records to the Web API and following them to the end."""
