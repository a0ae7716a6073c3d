"""Tables of rows: read, filtered, checked, written, with what they were made of."""
