"""The console: one page and static files, which the browser runs."""
