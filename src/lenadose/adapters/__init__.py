"""The library in other formats: one format a file; nothing below imports them."""
