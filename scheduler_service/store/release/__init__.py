"""Release: claims that end without the end of their job."""
