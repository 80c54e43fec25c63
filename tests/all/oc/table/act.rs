//! One run in which something fails, and what it comes to.

use super::Outcome;
use super::situations::{Disks, How, Situation};
use crate::oc::cluster::{Cluster, Ear, now};
use crate::oc::command::{Ended, Night};
use etcd_cat::oc::{ClientOptions, Leftover, Oc, OcError, VerificationResult, plan, run};
use rustix::process::{Pid, kill_process};
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Characters at the beginning and at the end of a message.
const SHOWN: usize = 150;

/// How a run ended, as it told itself.
struct Told {
    exit: i32,
    error: String,
    hint: String,
    remains: Vec<Leftover>,
}

pub(super) fn act(situation: &Situation) -> Result<Outcome> {
    let night = Night::new()?;
    night.cluster.scenario(&situation.scenario)?;
    night.script(situation.script)?;
    let mut disks = Vec::new();
    if let How::Disks(Disks { host_kib, here_kib }) = situation.how {
        disks.extend(host_kib.map(|kib| (night.path("host/home/core"), kib)));
        disks.extend(here_kib.map(|kib| (night.path("backups"), kib)));
    }
    let disks = disks.into_iter().map(|(path, kib)| Disk::mount(path, kib));
    let disks: Vec<Disk> = disks.collect::<Result<_>>()?;
    let told = match situation.how {
        How::Scaled(patience) => scaled(&night.cluster, Duration::from_millis(patience))?,
        How::Command | How::Disks(_) => of_command(&night.back_up(&[])?)?,
        How::With(more) => of_command(&night.back_up(more)?)?,
        How::Signal(signal) => of_command(&held(&night, |child| {
            Ok(kill_process(Pid::from_child(child), signal)?)
        })?)?,
    };
    let outcome = Outcome {
        backup: backup(&night.cluster, &told),
        remains: remains(&night.cluster, &told)?,
        message: message(&night.cluster, &told.error),
        reasons: reasons(&night.cluster, &told.remains),
        exit: told.exit,
    };
    for disk in &disks {
        disk.make_writable()?;
    }
    if outcome.backup == "on the node" {
        bring_in(&night, &disks)?;
    }
    remove_as_told(&night.cluster, &told)?;
    Ok(outcome)
}

/// A file system in memory in the place of a directory.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: PathBuf, kib: u32) -> Result<Self> {
        fs::create_dir_all(&path)?;
        let size = format!("size={kib}k,mode=0700");
        let words = ["-t", "tmpfs", "-o", &size, "tmpfs"];
        run_mount("mount", Command::new("mount").args(words).arg(&path))?;
        Ok(Self(path))
    }

    fn make_writable(&self) -> Result<()> {
        run_mount(
            "remount",
            Command::new("mount")
                .args(["-o", "remount,rw"])
                .arg(&self.0),
        )
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run_mount("umount", Command::new("umount").arg(&self.0));
    }
}

fn run_mount(what: &str, command: &mut Command) -> Result<()> {
    let output = command.output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{what}: {} (this table needs root)",
            String::from_utf8_lossy(&output.stderr)
        )
        .into()),
    }
}

/// What is told to lie on the node comes here as told, once nothing is in its way any more.
fn bring_in(night: &Night, disks: &[Disk]) -> Result<()> {
    night.cluster.scenario("")?;
    for disk in disks {
        let _ = fs::remove_file(disk.0.join("filler"));
    }
    for name in ["counters/out", "counters/node"] {
        let _ = fs::remove_file(night.path(name));
    }
    // No script answers: nothing new is taken.
    night.script("cut=yes")?;
    let ended = night.back_up(&["--resume"])?;
    let is_here = !night.cluster.names("backups").is_empty();
    match ended.code {
        Some(0) if is_here => Ok(()),
        _ => Err(format!("--resume: {ended:#?}").into()),
    }
}

/// A minute is half a second. The exit code is the one that the command makes of such an end.
fn scaled(cluster: &Cluster, patience: Duration) -> Result<Told> {
    let oc = Oc::new(ClientOptions {
        program: Some(cluster.path("bin/oc")),
        request_timeout: Duration::from_millis(250),
        request_overhead: Duration::from_secs(20),
        ..ClientOptions::default()
    })?;
    let mut options = cluster.options();
    options.keys_to = Some(cluster.path("keys"));
    options.timeouts.pod_start = Duration::from_secs(8);
    options.timeouts.patience = patience;
    options.timeouts.cleanup = patience;
    options.timeouts.look_patience = Duration::from_millis(500);
    // Long for what is scaled, and shorter than the longest silence of an API server.
    options.timeouts.stream_silence = Duration::from_secs(3);
    options.timeouts.command = Duration::from_secs(4);
    let ear = Ear::default();
    let plan = match plan(&oc, options, now(), &ear) {
        Ok(plan) => plan,
        Err(error) => return Ok(failed(&error, Vec::new())),
    };
    Ok(
        match run(&oc, &plan, &ear, &mut |_| VerificationResult::Passed) {
            Ok(run) if run.leftovers.is_empty() => Told {
                exit: 0,
                error: String::new(),
                hint: String::new(),
                remains: Vec::new(),
            },
            Ok(run) => Told {
                exit: 2,
                error: "the backup is complete, and something of it is still in the cluster"
                    .to_owned(),
                hint: String::new(),
                remains: run.leftovers,
            },
            Err(failure) => failed(&failure.error, failure.leftovers),
        },
    )
}

fn failed(error: &OcError, remains: Vec<Leftover>) -> Told {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    Told {
        exit: 2,
        error: text,
        hint: error.remedy().unwrap_or_default(),
        remains,
    }
}

/// What the command wrote to stderr.
fn of_command(ended: &Ended) -> Result<Told> {
    let (mut error, mut hint) = (String::new(), String::new());
    let mut remains = Vec::new();
    let (mut what, mut reason) = (None, None);
    for line in ended.stderr.lines() {
        if let Some(text) = line.strip_prefix("error: ") {
            error.push_str(text);
        } else if let Some(text) = line.strip_prefix("  caused by: ") {
            error.push_str(": ");
            error.push_str(text);
        } else if let Some(text) = line.strip_prefix("  hint: ") {
            hint.push_str(text);
        } else if let Some(text) = line.strip_prefix("  still there: ") {
            what = Some(text.to_owned());
        } else if let Some(text) = line.strip_prefix("    because: ") {
            reason = Some(text.to_owned());
        } else if let Some(command) = line.strip_prefix("    remove it with: ") {
            remains.push(Leftover {
                reason: reason.take(),
                what: what.take().ok_or("a command without its object")?,
                command: command.to_owned(),
            });
        }
    }
    Ok(Told {
        exit: ended.code.ok_or("ended by a signal")?,
        error,
        hint,
        remains,
    })
}

/// Runs the command up to the call that is held, does something to it, and waits for its end.
fn held(night: &Night, meddle: impl Fn(&Child) -> Result<()>) -> Result<Ended> {
    let stderr = night.path("stderr");
    let mut child = night
        .back_up_command(&[])
        .stdout(Stdio::null())
        .stderr(fs::File::create(&stderr)?)
        .spawn()?;
    let begun = Instant::now();
    while !night.path("counters/slow").exists() {
        if begun.elapsed() > Duration::from_secs(120) || child.try_wait()?.is_some() {
            return Err(format!("never held: {}", fs::read_to_string(&stderr)?).into());
        }
        thread::sleep(Duration::from_millis(10));
    }
    meddle(&child)?;
    let status = child.wait()?;
    Ok(Ended {
        code: status.code(),
        stdout: String::new(),
        stderr: fs::read_to_string(stderr)?,
    })
}

fn backup(cluster: &Cluster, told: &Told) -> &'static str {
    let names = cluster.names("backups");
    let ends = |ending: &str| names.iter().any(|name| name.ends_with(ending));
    let is_kept = told
        .remains
        .iter()
        .any(|one| one.what.starts_with("directory"));
    if ends(".db") {
        "kept"
    } else if ends(".not-verified") {
        "put aside"
    } else if is_kept
        && told
            .hint
            .contains("the same command with --resume --node master-1")
    {
        "on the node"
    } else {
        "none"
    }
}

/// All that is there is told.
fn remains(cluster: &Cluster, told: &Told) -> Result<String> {
    for place in ["host/home/core", "pods", "namespaces"] {
        for name in cluster.names(place) {
            let is_told = told.remains.iter().any(|one| one.what.contains(&name));
            if !is_told && name != "filler" {
                return Err(format!("{name} is there and not told: {}", told.error).into());
            }
        }
    }
    let kinds = told.remains.iter().map(|one| one.what.split(' ').next());
    let mut kinds: Vec<&str> = kinds.flatten().collect();
    kinds.dedup();
    if kinds.is_empty() {
        return Ok("nothing".to_owned());
    }
    Ok(kinds.join(", "))
}

/// Why it remains, each once. All of it is told.
fn reasons(cluster: &Cluster, remains: &[Leftover]) -> String {
    let told = remains.iter().filter_map(|one| one.reason.as_deref());
    let mut told: Vec<String> = told.map(|reason| message(cluster, reason)).collect();
    told.dedup();
    told.join("; ")
}

/// The commands work as they stand, once the cluster is well again.
fn remove_as_told(cluster: &Cluster, told: &Told) -> Result<()> {
    cluster.scenario("")?;
    for name in ["counters/out", "counters/node"] {
        // Of the scenario that is over.
        let _ = fs::remove_file(cluster.path(name));
    }
    for one in &told.remains {
        let output = Command::new("sh").arg("-c").arg(&one.command).output()?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("{}: {words}", one.command).into());
        }
    }
    cluster.assert_no_rubbish("removed as told");
    Ok(())
}

/// In one line, without what differs from run to run, and not at full length.
fn message(cluster: &Cluster, error: &str) -> String {
    let line = cluster.normalise(error);
    let words = line
        .split(' ')
        .filter(|word| !word.starts_with("--request-timeout="));
    let mut words: Vec<&str> = words
        .map(|word| {
            if word.contains("-debug-x") {
                "POD"
            } else {
                word
            }
        })
        .collect();
    if let Some(at) = words.iter().position(|word| *word == "broke") {
        words[at + 1] = "N";
    }
    let line = words.join(" ").replace("DIR/bin/oc", "oc");
    let (start, end) = (line.chars().take(SHOWN), line.chars().rev().take(SHOWN));
    match line.chars().count() {
        0 => "-".to_owned(),
        count if count <= 2 * SHOWN => line,
        _ => {
            let end: Vec<char> = end.collect();
            let end = end.into_iter().rev();
            start.chain(" ... ".chars()).chain(end).collect()
        }
    }
}
