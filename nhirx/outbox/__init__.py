"""The journal of dispensings and the upload queue, in one database."""
