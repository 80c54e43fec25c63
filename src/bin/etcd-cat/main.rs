//! The command `etcd-cat`: reads the command line, asks the library, prints the answer.

mod args;
mod commands;
mod engine;
mod error;
mod exit;
mod output;
mod progress;
mod reply;
#[cfg(test)]
mod sample;
mod server;
mod terminal;

use crate::args::Cli;
use crate::commands::Invocation;
use crate::error::{Failure, is_broken_pipe};
use crate::exit::Exit;
use crate::output::Format;
use crate::output::nagios::{self, State};
use crate::progress::TerminalMonitor;
use crate::reply::{Body, Reply, damage_told};
use chrono::Utc;
use clap::Parser as _;
use etcd_cat::catalogue::CatalogueDamage;
use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;

/// Bytes of an answer that are written at once.
const STDOUT_BYTES: usize = 64 << 10;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => run(&cli).into(),
        Err(error) => misused(&error).into(),
    }
}

/// Runs the command, prints its answer, and says how to end.
fn run(cli: &Cli) -> Exit {
    let global = &cli.global;
    let now = global
        .as_of
        .map_or_else(etcd_cat::instant::now, |instant| instant.0);
    if cli.command.only_reads() {
        let format = global.output;
        TerminalMonitor::end_soon(move |signal| report(&Failure::interrupted(signal), format));
    }
    let result = TerminalMonitor::new(terminal::shows_progress(global), global.quiet)
        .map_err(Failure::from)
        .and_then(|progress| answer(cli, now, &progress));
    let result = match result {
        result if cli.command.is_for_nagios() => Ok(for_nagios(result)),
        result => result,
    };
    let failure = match result {
        Ok(reply) => match print(reply, global.quiet) {
            Ok(exit) => return exit,
            Err(failure) => failure,
        },
        Err(failure) => failure,
    };
    report(&failure, global.output);
    failure.exit
}

fn answer(
    cli: &Cli,
    now: chrono::DateTime<Utc>,
    progress: &TerminalMonitor,
) -> Result<Reply, Failure> {
    let damage = CatalogueDamage::default();
    let invocation = Invocation {
        global: &cli.global,
        style: terminal::style(&cli.global, now),
        progress,
        damage: &damage,
    };
    let result = match commands::run(cli, &invocation) {
        Ok(mut reply) => {
            reply.tell_damage(&damage);
            Ok(reply)
        }
        Err(failure) => Err(failure.beside(damage_told(&damage.told(), "is"))),
    };
    progress.clear();
    // Whatever a run says that was told to stop: it was told to stop.
    match (progress.signal(), result) {
        (None, result) => result,
        (Some(signal), Err(failure)) => Err(failure.stopped_by(signal)),
        // What is told all the same: what could not be removed.
        (Some(signal), Ok(reply)) => Err(reply.failure.map_or_else(
            || Failure::interrupted(signal),
            |failure| failure.stopped_by(signal),
        )),
    }
}

/// What could not be asked, or not as a whole, is unknown, in the same one line.
fn for_nagios(result: Result<Reply, Failure>) -> Reply {
    let unknown = |failure: &Failure| {
        let line = nagios::unknown(&failure.to_string());
        Reply::verbatim(line, Exit::Nagios(State::Unknown))
    };
    match result {
        Err(failure) if matches!(failure.exit, Exit::Interrupted { .. }) => Reply {
            exit: failure.exit,
            ..unknown(&failure)
        },
        Err(failure) => unknown(&failure),
        Ok(reply) => match &reply.failure {
            Some(failure) => unknown(failure),
            None => Reply {
                notes: Vec::new(),
                ..reply
            },
        },
    }
}

/// Data to stdout, notes to stderr. What could not be done is the last word.
fn print(reply: Reply, is_quiet: bool) -> Result<Exit, Failure> {
    match write_stdout(reply.body) {
        // The reader has seen enough: that is its right, and no error.
        Err(error) if is_broken_pipe(&error) => {}
        result => result?,
    }
    if !is_quiet {
        for note in &reply.notes {
            // Without stderr there is nobody to tell.
            let _ = write_stderr(&format!("note: {}\n", output::text::safe(note)));
        }
    }
    match reply.failure {
        Some(failure) => Err(failure),
        None => Ok(reply.exit),
    }
}

/// Prints a failure; for a program that reads JSON, its last line is JSON.
fn report(failure: &Failure, format: Format) {
    let mut text = Vec::new();
    // Writing to memory cannot fail, and without stderr there is nobody to tell.
    let _ = failure.write(&mut text);
    if format == Format::Json {
        let _ = failure.write_json(&mut text);
    }
    let _ = io::stderr().write_all(&text);
}

/// Help and version are answers; everything else that clap has to say is wrong usage.
fn misused(error: &clap::Error) -> Exit {
    let is_answer = error.exit_code() == 0;
    let printed = error.print();
    if is_answer {
        return match printed {
            Err(error) if !is_broken_pipe(&error) => Exit::Failed,
            _ => Exit::Good,
        };
    }
    if std::env::args_os().any(|argument| argument == "--nagios") {
        let rendered = error.render().to_string();
        let line = rendered.lines().next().unwrap_or_default();
        let _ = write_stdout(Body::Text(nagios::unknown(line)));
        return Exit::Nagios(State::Unknown);
    }
    if wants_json() {
        let rendered = error.render().to_string();
        let first = rendered.lines().next().unwrap_or_default();
        let message = first.strip_prefix("error: ").unwrap_or(first);
        let mut line = Vec::new();
        let _ = error::write_json(error::code::USAGE, message, &[], &mut line);
        let _ = io::stderr().write_all(&line);
    }
    if is_of_a_job(std::env::args_os().skip(1)) {
        Exit::Misused
    } else {
        Exit::Failed
    }
}

/// Parts of a fleet's run that a job starts have exit codes of their own.
fn is_of_a_job(arguments: impl Iterator<Item = std::ffi::OsString>) -> bool {
    let words: Vec<_> = arguments.collect();
    let fleet = words.iter().position(|word| word == "fleet");
    let after = fleet.and_then(|fleet| words.get(fleet + 1..));
    after.is_some_and(|after| after.iter().any(|word| word == "plan" || word == "work"))
}

/// Whether JSON was asked for on a command line that could not be understood as a whole.
fn wants_json() -> bool {
    let mut arguments = std::env::args_os()
        .skip(1)
        .map(|one| one.to_string_lossy().into_owned());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-o" | "--output" => return arguments.next().as_deref() == Some("json"),
            "-ojson" | "-o=json" | "--output=json" => return true,
            _ => {}
        }
    }
    std::env::var("ETCD_CAT_OUTPUT").is_ok_and(|form| form == "json")
}

fn write_stdout(body: Body) -> io::Result<()> {
    let mut stdout = BufWriter::with_capacity(STDOUT_BYTES, io::stdout().lock());
    body.write(&mut stdout)?;
    stdout.flush()
}

fn write_stderr(text: &str) -> io::Result<()> {
    io::stderr().write_all(text.as_bytes())
}
