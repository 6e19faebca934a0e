"""CancelPipeline: live jobs ended or left to others."""
