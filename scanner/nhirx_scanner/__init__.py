"""The eye of nhirx: finds and reads the visit ID on a picture of a prescription."""
