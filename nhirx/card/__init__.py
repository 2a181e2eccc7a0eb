"""Cards and the software that reads them: two interfaces, several ways behind each."""
