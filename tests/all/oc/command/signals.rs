//! SIGINT and SIGTERM at every stage, and a second run meanwhile.

use super::{Ended, Night};
use crate::oc::cluster::TestResult;
use rustix::process::{Pid, Signal, kill_process};
use std::error::Error;
use std::fs;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Starts a backup and waits until its stderr says so much.
fn start(night: &Night, says: &str) -> Result<Child, Box<dyn Error>> {
    let stderr = night.path("stderr");
    let child = night
        .back_up_command(&[])
        .stdout(Stdio::null())
        .stderr(fs::File::create(&stderr)?)
        .spawn()?;
    let begun = Instant::now();
    while !fs::read_to_string(&stderr)?.contains(says) {
        if begun.elapsed() > Duration::from_secs(60) {
            return Err(format!("{says:?} was not said").into());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(child)
}

fn stop(night: &Night, mut child: Child, signal: Signal) -> Result<Ended, Box<dyn Error>> {
    let pid = Pid::from_raw(i32::try_from(child.id())?).ok_or("a process has an id")?;
    kill_process(pid, signal)?;
    let status = child.wait()?;
    Ok(Ended {
        code: status.code(),
        stdout: String::new(),
        stderr: fs::read_to_string(night.path("stderr"))?,
    })
}

#[test]
fn a_signal_in_the_script_or_the_stream_leaves_nothing() -> TestResult {
    let stages = [
        ("script", "", "slow=600", "etcdctl version"),
        ("stream", "stall=yes", "", "successfully saved"),
    ];
    for (name, scenario, script, says) in stages {
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            let night = Night::new()?;
            night.cluster.scenario(scenario)?;
            night.script(script)?;
            let child = start(&night, says)?;
            let ended = stop(&night, child, signal)?;
            ended.assert(name, code, "error: interrupted");
            night.assert_nothing_happened(name)?;
        }
    }
    Ok(())
}

#[test]
fn a_signal_in_the_verification_leaves_nothing_that_looks_verified() -> TestResult {
    let night = Night::new()?;
    // Long enough to be met in the middle.
    let file = fs::File::options()
        .write(true)
        .open(night.path("host/prepared.db"))?;
    file.set_len(600 << 20)?;
    let child = start(&night, "verifying what was brought here")?;
    let ended = stop(&night, child, Signal::TERM)?;
    ended.assert("verification", 143, "error: interrupted");
    night.cluster.assert_no_rubbish("verification");
    let names = [night.cluster.names("backups"), night.cluster.names("keys")].concat();
    assert_eq!(names.len(), 2);
    assert!(
        names.iter().all(|name| name.ends_with(".not-verified")),
        "{names:?}"
    );
    assert_eq!(night.list()?, serde_json::json!([]));
    Ok(())
}

#[test]
fn what_cannot_be_removed_after_a_signal_is_told() -> TestResult {
    let night = Night::new()?;
    night.cluster.scenario("refuse_delete=yes")?;
    night.script("slow=600")?;
    let child = start(&night, "etcdctl version")?;
    let ended = stop(&night, child, Signal::INT)?;
    ended.assert("leftovers", 130, "remove it with: ");
    Ok(())
}

#[test]
fn a_second_run_is_refused_while_the_first_is_at_work() -> TestResult {
    let night = Night::new()?;
    night.script("slow=600")?;
    let child = start(&night, "etcdctl version")?;
    let second = night.back_up(&[])?;
    second.assert(
        "second",
        2,
        &format!(
            "another backup of this cluster is running, by process {}",
            child.id()
        ),
    );
    stop(&night, child, Signal::INT)?.assert("first", 130, "");
    night.assert_nothing_happened("two runs")
}
