"""Upload records: writing and reading the XML, the NHI's checks, its reports."""
