"""PauseJobType, ResumeJobType: job types that are not claimed for a while."""
