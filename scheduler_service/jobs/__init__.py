"""Pure values and decisions about jobs: no SQL, no gRPC, no clock."""
