//! Each system call of a command on our files fails once: a bad sector, rights that are missing, a full disk, no file number
//! to be had.
//!
//! By hand, with strace, which has the kernel say so: docs/reliability.md has the table.
#![expect(clippy::print_stdout, reason = "the table is what it is run for")]

use crate::cli::contract::Backup;
use crate::cli::environment::{Ran, SOON, TestEnv};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A call, and the ways in which it fails.
type Row = (&'static str, &'static [&'static str]);

/// Calls that only ask.
const READING: [Row; 10] = [
    ("open", &["EIO", "EACCES", "EMFILE", "ENFILE", "ENOMEM"]),
    ("openat", &["EIO", "EACCES", "EMFILE", "ENFILE", "ENOMEM"]),
    ("read", &["EIO", "EACCES", "ESTALE"]),
    ("pread64", &["EIO", "ESTALE"]),
    ("preadv2", &["EIO", "ESTALE"]),
    ("statfs", &["EIO", "EACCES"]),
    ("statx", &["EIO", "EACCES"]),
    ("newfstatat", &["EIO", "EACCES"]),
    ("fstat", &["EIO"]),
    ("getdents64", &["EIO", "ENOMEM"]),
];
/// Calls that change something.
const WRITING: [Row; 13] = [
    ("write", &["EIO", "ENOSPC", "EDQUOT"]),
    ("pwrite64", &["EIO", "ENOSPC", "EDQUOT"]),
    ("fsync", &["EIO", "ENOSPC"]),
    ("fdatasync", &["EIO", "ENOSPC"]),
    ("ftruncate", &["EIO", "ENOSPC"]),
    ("rename", &["EIO", "EACCES", "ENOSPC"]),
    ("renameat2", &["EIO", "EACCES", "ENOSPC"]),
    ("flock", &["EIO", "ENOLCK"]),
    ("fcntl", &["EIO", "ENOLCK"]),
    ("mkdir", &["EACCES", "ENOSPC"]),
    ("unlink", &["EIO", "EACCES"]),
    ("copy_file_range", &["EIO", "ENOSPC"]),
    ("fchmod", &["EIO", "EACCES"]),
];
/// What the system says of them.
const WORDS: [(&str, &str); 9] = [
    ("EIO", "Input/output error"),
    ("EACCES", "Permission denied"),
    ("EMFILE", "Too many open files"),
    ("ENFILE", "Too many open files"),
    ("ENOMEM", "Cannot allocate memory"),
    ("ESTALE", "Stale"),
    ("ENOSPC", "No space left"),
    ("EDQUOT", "quota"),
    ("ENOLCK", "No locks available"),
];

/// A command, and whether the catalogue is filled before.
const COMMANDS: [(&[&str], bool); 5] = [
    (&["verify", "data", "keys"], false),
    (&["index", "data", "keys"], false),
    (&["index"], true),
    (&["list", "--all"], true),
    (&["stage", "latest", "--to", "staged"], true),
];

fn prepared(is_indexed: bool) -> TestEnv {
    let env = if is_indexed {
        TestEnv::indexed()
    } else {
        TestEnv::healthy()
    };
    std::fs::create_dir(env.path("staged")).expect("our own");
    env
}

fn empty_staged(env: &TestEnv) {
    std::fs::remove_dir_all(env.path("staged")).expect("our own");
    std::fs::create_dir(env.path("staged")).expect("our own");
}

fn words(command: &[&'static str]) -> Vec<&'static str> {
    let options = ["-o", "json", "--as-of", SOON, "--jobs", "1"];
    [command, &options].concat()
}

/// Everything of ours that a command could touch. strace looks at no other calls: those of the loader are not ours.
fn places(env: &TestEnv) -> Vec<PathBuf> {
    let staged = [
        "snapshot_2024-11-02_030000.db",
        "static_kuberesources_2024-11-02_030000.tar.gz",
    ];
    let mut places: Vec<PathBuf> = ["", "data", "keys", "staged", "home"]
        .map(|name| env.path(name))
        .into();
    for ending in ["", ".new", ".lock"] {
        places.push(env.path(&format!("catalogue.redb{ending}")));
    }
    for name in staged {
        places.extend(["data", "keys", "staged"].map(|directory| env.path(directory).join(name)));
        places.push(env.path("staged").join(format!("{name}.part")));
    }
    places
}

/// The command under strace with these options.
fn traced(env: &TestEnv, arguments: &[&str], options: &[String]) -> Ran {
    let inner = env.command(arguments);
    let mut command = Command::new("strace");
    command.args(["-f", "-qqq", "-o"]).arg(env.path("trace"));
    for place in places(env) {
        command.arg("-P").arg(place);
    }
    command.args(options).arg("--").arg(inner.get_program());
    command.args(inner.get_args()).env_clear();
    for (name, value) in inner.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command
        .env("PATH", "/usr/bin:/bin")
        .current_dir(env.path(""));
    Ran::of(command.output().expect("strace is there"))
}

/// How often each call is made, at most, by one thread.
fn calls(trace: &Path) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(trace).unwrap_or_default();
    let mut by_thread: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.trim_start().split_once(' ') else {
            continue;
        };
        if let Some((call, _)) = rest.trim_start().split_once('(') {
            *by_thread.entry((thread, call)).or_default() += 1;
        }
    }
    let mut calls = BTreeMap::new();
    for ((_, call), count) in by_thread {
        let most: &mut usize = calls.entry(call.to_owned()).or_default();
        *most = count.max(*most);
    }
    calls
}

/// What a backup is, without the moments at which it was looked at.
fn settled(mut backups: Vec<Backup>) -> String {
    let mut text = String::new();
    backups.sort_by(|one, other| one.id.cmp(&other.id));
    for backup in &backups {
        let half = backup.kuberesources.is_some();
        let findings = backup.findings.iter().map(|one| one.code.as_str());
        let codes: Vec<&str> = findings.collect();
        let _ = writeln!(
            text,
            "{:?} {:?} {half} {codes:?}",
            backup.id, backup.verdict
        );
    }
    text
}

fn listed(env: &TestEnv) -> String {
    settled(env.list())
}

/// What a document says of backups and files, without moments, places and what is new since the last run.
fn essence(env: &TestEnv, text: &str) -> String {
    let text = text.replace(&env.text(""), "");
    let Ok(mut document) = serde_json::from_str::<Value>(&text) else {
        return text;
    };
    if let Some(fields) = document.as_object_mut() {
        for name in ["changes", "summary"] {
            fields.remove(name);
        }
    }
    forget_moments(&mut document);
    document.to_string()
}

fn forget_moments(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for name in ["firstSeenAt", "verifiedAt", "verifications", "modifiedAt"] {
                fields.remove(name);
            }
            fields.values_mut().for_each(forget_moments);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_moments),
        _ => {}
    }
}

/// What came of faults.
#[derive(Default)]
struct Outcomes {
    faults: usize,
    told: usize,
    unharmed: usize,
}

struct Sound {
    answer: String,
    /// Of the next run.
    again: String,
    /// What is remembered then.
    after: String,
}

/// Fails one call, looks at what is told of it, and at the run after it.
fn fail(
    command: (&[&'static str], bool),
    call: &str,
    error: &str,
    number: usize,
    sound: &Sound,
) -> Result<bool, String> {
    let env = prepared(command.1);
    let arguments = words(command.0);
    let option = format!("inject={call}:error={error}:when={number}");
    let ran = traced(
        &env,
        &arguments,
        &[
            "-e".to_owned(),
            format!("trace={call}"),
            "-e".to_owned(),
            option,
        ],
    );
    let trace = std::fs::read_to_string(env.path("trace")).unwrap_or_default();
    if !trace.contains("INJECTED") {
        return Err("nothing failed".to_owned());
    }
    let whole = || format!("{ran:#?}\n{trace}");
    let is_same = essence(&env, &ran.stdout) == sound.answer;
    let said = WORDS
        .iter()
        .find(|(name, _)| *name == error)
        .map_or("", |(_, words)| *words);
    let is_told = match ran.code {
        Some(0) if is_same => false,
        Some(2) if ran.stderr.contains(said) => true,
        _ => {
            return Err(format!(
                "the answer is neither right nor a failure: {}",
                whole()
            ));
        }
    };
    empty_staged(&env);
    let again = env.run(&arguments);
    if again.code != Some(0) || essence(&env, &again.stdout) != sound.again {
        return Err(format!(
            "the next run is another one: {again:#?} after {}",
            whole()
        ));
    }
    if listed(&env) != sound.after {
        return Err(format!(
            "something else is remembered: {} after {}",
            listed(&env),
            whole()
        ));
    }
    Ok(is_told)
}

#[test]
#[ignore = "by hand, with strace; docs/reliability.md has its result"]
fn every_call_that_fails_is_told_and_nothing_is_learnt_of_it() {
    let mut wrong = 0;
    println!(
        "| command | call | failures | told, exit code 2 | not needed, the answer is right |\n|---|---|---:|---:|---:|"
    );
    for command in COMMANDS {
        let env = prepared(command.1);
        let ran = traced(&env, &words(command.0), &[]).ends_with(0);
        let calls = calls(&env.path("trace"));
        let answer = essence(&env, &ran.stdout);
        empty_staged(&env);
        let again = env.run(&words(command.0)).ends_with(0);
        let sound = Sound {
            answer,
            again: essence(&env, &again.stdout),
            after: listed(&env),
        };
        for (call, errors) in READING.into_iter().chain(WRITING) {
            let most = calls.get(call).copied().unwrap_or_default();
            let mut outcomes = Outcomes::default();
            for (number, error) in
                (1..=most).flat_map(|number| errors.iter().map(move |error| (number, *error)))
            {
                outcomes.faults += 1;
                match fail(command, call, error, number, &sound) {
                    Ok(true) => outcomes.told += 1,
                    Ok(false) => outcomes.unharmed += 1,
                    Err(reason) => {
                        println!(
                            "wrong: {:?}, {error} of {call} {number}: {reason}",
                            command.0
                        );
                        wrong += 1;
                    }
                }
            }
            if most > 0 {
                let Outcomes {
                    faults,
                    told,
                    unharmed,
                } = outcomes;
                println!(
                    "| {} | {call} | {faults} | {told} | {unharmed} |",
                    command.0.join(" ")
                );
            }
        }
        let known: Vec<&str> = READING
            .iter()
            .chain(&WRITING)
            .map(|(call, _)| *call)
            .collect();
        let others: Vec<_> = calls
            .iter()
            .filter(|(call, _)| !known.contains(&call.as_str()))
            .collect();
        println!("not failed: {others:?}");
    }
    assert_eq!(wrong, 0, "told above");
}
