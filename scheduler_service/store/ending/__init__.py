"""What follows from the end of a job, whatever ended it."""
