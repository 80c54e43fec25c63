//! Every output that the README shows is what the command prints.
//!
//! An example is a block of `text`: lines that begin with `$ etcd-cat` are run, what follows each of them is compared with
//! its output. A line `...` stands for any number of lines, `...` within a line for any text. Each block has a machine of its
//! own with the directories of [`machine`], which has a catalogue of them when the block begins with a question to it; the
//! date is [`AS_OF`]. `backup` runs against the cluster of the tests, an hour after its own backup.

use super::text;
use crate::cli::environment::{KUBERESOURCES, Ran, SNAPSHOT, TestEnv};
use crate::oc::command::Night;
use crate::support::samples;
use std::process::Command;

const AS_OF: &str = "2024-11-10T00:00:00Z";

/// A block of the README and the line above it.
struct Block {
    above: String,
    lines: Vec<String>,
}

/// A command and what the README shows of its output.
struct Example {
    arguments: Vec<String>,
    shown: Vec<String>,
}

fn blocks(readme: &str) -> Vec<Block> {
    let (mut found, mut above) = (Vec::new(), String::new());
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        if line == "```text" {
            let block = lines.by_ref().take_while(|line| *line != "```");
            found.push(Block {
                above: above.clone(),
                lines: block.map(str::to_owned).collect(),
            });
        } else if line.starts_with("    ") {
            line.trim().clone_into(&mut above);
        }
    }
    found
}

fn examples(block: &Block) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    for line in &block.lines {
        if let Some(command) = line.strip_prefix("$ ") {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            let (program, arguments) = words.split_first().expect("a command");
            assert_eq!(program, "etcd-cat", "{command}: no other program is run");
            found.push(Example {
                arguments: arguments.to_vec(),
                shown: Vec::new(),
            });
        } else {
            let example = found.last_mut();
            let example = example.unwrap_or_else(|| panic!("{line:?} is shown by no command"));
            example.shown.push(line.clone());
        }
    }
    found
}

/// The directories that the examples name.
fn machine() -> TestEnv {
    let env = TestEnv::new();
    for path in samples::files_ending("") {
        let Some((directory, _)) = path.rsplit_once('/') else {
            continue;
        };
        match directory {
            "backups/prod" | "backups/prod-upgrade" | "backups/raw" => {
                env.copy(&path, &directory.replace("backups", "backup"))
            }
            "backups/keys/prod" => env.copy(&path, "mnt/keys/prod"),
            _ => continue,
        };
    }
    // What a stick does to a file: one bit, where only the digest notices.
    let mut snapshot = samples::bytes(SNAPSHOT);
    let middle = snapshot.len() / 2;
    *snapshot.get_mut(middle).expect("it has a middle") ^= 1;
    env.put("mnt/usb/snapshot_2024-11-02_030000.db", snapshot);
    env.copy(KUBERESOURCES, "mnt/usb");
    env
}

/// Both streams as a terminal would show them, without the place of the machine.
fn output(mut command: Command, root: &str, is_progress_first: bool) -> Vec<String> {
    let ran = Ran::of(command.output().expect("the command starts"));
    let both = match is_progress_first {
        true => ran.stderr + &ran.stdout,
        false => ran.stdout + &ran.stderr,
    };
    both.replace(root, "").lines().map(str::to_owned).collect()
}

fn run_on_machine(env: &TestEnv, arguments: &[String]) -> Vec<String> {
    let root = env.text("");
    let root = root.trim_end_matches('/');
    let arguments: Vec<String> = arguments
        .iter()
        .map(|word| match word.starts_with('/') {
            true => format!("{root}{word}"),
            false => word.clone(),
        })
        .collect();
    let mut command = env.command(&arguments);
    command.env("ETCD_CAT_AS_OF", AS_OF);
    output(command, root, false)
}

fn run_on_cluster(arguments: &[String]) -> Vec<String> {
    let night = Night::new().expect("a cluster in a directory");
    let root = night.path("");
    let root = root.to_str().expect("a plain path").trim_end_matches('/');
    let arguments: Vec<String> = arguments
        .iter()
        .map(|word| match word.starts_with('/') {
            true => format!("{root}{word}"),
            false => word.clone(),
        })
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    output(night.command(&arguments), root, true)
}

/// The command that the gate runs, from the root of the repository.
fn run_in_repository(line: &str) -> Vec<String> {
    let (_, arguments) = line.split_once(" -- ").expect("cargo run -- arguments");
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let mut command = TestEnv::new().command(&arguments);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
        .env_remove("ETCD_CAT_CATALOGUE")
        .env("ETCD_CAT_NO_CATALOGUE", "true");
    output(command, env!("CARGO_MANIFEST_DIR"), false)
}

/// `shown` is `found` but for what `...` leaves out.
fn is_shown(shown: &[String], found: &[String]) -> bool {
    match shown.split_first() {
        None => found.is_empty(),
        Some((first, rest)) if first == "..." => (0..=found.len())
            .any(|skipped| is_shown(rest, found.get(skipped..).unwrap_or_default())),
        Some((first, rest)) => found
            .split_first()
            .is_some_and(|(line, behind)| is_line(first, line) && is_shown(rest, behind)),
    }
}

fn is_line(shown: &str, line: &str) -> bool {
    let mut parts = shown.split("...");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in between {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

fn assert_shown(what: &str, shown: &[String], found: &[String]) {
    assert!(
        is_shown(shown, found),
        "the README shows of {what}:\n{}\nbut it prints:\n{}",
        shown.join("\n"),
        found.join("\n")
    );
}

#[test]
fn the_readme_shows_what_the_command_prints() {
    let readme = text("README.md");
    let mut commands = 0;
    for block in blocks(&readme) {
        if block.above.starts_with("cargo run ")
            && !block.lines.iter().any(|line| line.starts_with("$ "))
        {
            assert_shown(&block.above, &block.lines, &run_in_repository(&block.above));
            commands += 1;
            continue;
        }
        let examples = examples(&block);
        let env = machine();
        let first = examples
            .first()
            .and_then(|example| example.arguments.first());
        if first.is_some_and(|command| {
            ["list", "show", "check", "stage", "ls", "get", "diff"].contains(&command.as_str())
        }) {
            run_on_machine(&env, &["index", "/backup", "/mnt/keys"].map(str::to_owned));
        }
        for Example { arguments, shown } in &examples {
            let found = match arguments.first().is_some_and(|one| one == "backup") {
                true => run_on_cluster(arguments),
                false => run_on_machine(&env, arguments),
            };
            assert_shown(&arguments.join(" "), shown, &found);
            commands += 1;
        }
    }
    assert!(commands >= 6, "the README shows {commands} commands");
}

#[test]
fn an_elision_leaves_out_no_more_than_it_says() {
    let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let rows = [
        ("a\nb", "a\nb", true),
        ("a\n...\nc", "a\nb\nb\nc", true),
        ("a\n...\nc", "a\nc", true),
        ("a\n...\nc", "a\nb", false),
        ("a", "a\nb", false),
        ("a...c", "abbc", true),
        ("a...c", "abbd", false),
        ("a...b...c", "axbxc", true),
        ("a...b...c", "axxc", false),
        ("...a", "xa", true),
    ];
    for (shown, found, expected) in rows {
        assert_eq!(
            is_shown(&lines(shown), &lines(found)),
            expected,
            "{shown:?} {found:?}"
        );
    }
}
