"""Pages for people, in Markdown."""
