//! Whole processes in turns with others, and SQLite as one of those.

use crate::Fallible;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a process takes whose words nobody wants.
pub(crate) fn run(command: &mut Command) -> Fallible<Duration> {
    let started = Instant::now();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(started.elapsed())
}

/// The shell of SQLite with a question.
pub(crate) fn ask(database: &Path, query: &str) -> Command {
    let mut command = Command::new("sqlite3");
    command.arg("-readonly").arg(database).arg(query);
    command
}

/// Makes a database.
pub(crate) fn fill(database: &Path, script: &str) -> Fallible<()> {
    let path = database.with_extension("sql");
    std::fs::write(&path, script)?;
    Command::new("sqlite3")
        .arg(database)
        .stdin(Stdio::from(std::fs::File::open(path)?))
        .status()?;
    Ok(())
}
