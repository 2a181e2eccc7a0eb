"""Sending records to the Web API and following them to the end."""

from nhirx.upload.client import UploadClient
from nhirx.upload.worker import Progress, Worker

__all__ = ["Progress", "UploadClient", "Worker"]
