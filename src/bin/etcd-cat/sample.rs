//! Sample backups for tests.
