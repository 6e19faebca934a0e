"""What is deleted after a while: ended pipelines, answered requests, workers that are gone."""
