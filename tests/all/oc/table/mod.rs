//! What becomes of a backup when something fails, at each step: `docs/backup-failures.md` is what these runs come to.
//!
//! Times are scaled: a minute is half a second here. Whatever a run says remains is what remains, and the commands that it
//! gives remove it: they are run.

mod act;
mod situations;

use super::cluster::TestResult;
use crate::documents::assert_made;
use act::act;
use situations::{SECTIONS, Section, Situation, situations};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A run mostly waits.
const AT_ONCE: usize = 6;

const HEAD: &str = "\
# When a backup run fails

What becomes of the backup, what remains in the cluster, what is said, and the exit code. Made from runs of `etcd-cat backup` against a stand-in for `oc` that answers as the
real one does (`ETCD_CAT_BLESS=1 cargo test --all-features --test all -- --ignored oc::table`); a minute is half a second there. Whatever remains is told with the commands that remove it,
and the test runs them: nothing is left afterwards. Where nothing is told to remain, nothing is there.

* *kept*: verified, under its final names, in the catalogue.
* *on the node*: taken, and still on the node; `etcd-cat backup --resume` brings it in (the test does so in each such row).
* *put aside*: brought here and not verified, as `*.not-verified`.
* *none*: no backup was taken, or what was taken is lost.
";

/// What came of one run.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Outcome {
    backup: &'static str,
    /// Kinds of what remains: `directory, pod, namespace`.
    remains: String,
    message: String,
    /// Why what remains is still there.
    reasons: String,
    exit: i32,
}

#[test]
#[ignore = "by hand: minutes of runs, and small file systems that only root mounts"]
fn the_table_of_failures_is_what_the_runs_come_to() -> TestResult {
    let situations = situations();
    let outcomes = outcomes(&situations)?;
    let mut document = HEAD.to_owned();
    for section in SECTIONS {
        let rows: Vec<(&Situation, &Outcome)> = situations
            .iter()
            .zip(&outcomes)
            .filter(|(situation, _)| situation.section == section.name)
            .collect();
        document += &table(section, &rows);
    }
    document += include_str!("real.md");
    assert_made("docs/backup-failures.md", &document);
    Ok(())
}

/// Rows that are run each time.
const SAMPLE: [(&str, &str); 5] = [
    ("it refuses connections for 5 s", "the transfer"),
    ("it does not answer for 60 s", "starting the debug pod"),
    ("the API server", "the transfer"),
    ("the pod, over and over", "their digests"),
    ("SIGTERM", "the script"),
];

#[test]
fn rows_of_the_table_are_what_a_run_comes_to_now() -> TestResult {
    let mut sample = situations();
    sample.retain(|one| SAMPLE.contains(&(one.what.as_str(), one.step)));
    assert_eq!(sample.len(), SAMPLE.len());
    let outcomes = outcomes(&sample)?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/backup-failures.md");
    let document = fs::read_to_string(path)?;
    for (situation, outcome) in sample.iter().zip(&outcomes) {
        let row = document.lines().find(|line| {
            let when = line.split(" | ").nth(1).unwrap_or_default();
            let is_step = when.starts_with("each of the ")
                || when.split("; ").any(|step| step == situation.step);
            line.starts_with(&format!("| {} |", situation.what)) && is_step
        });
        let row = row.ok_or_else(|| format!("no row for {situation:?}"))?;
        let written: Vec<&str> = row.split(" | ").collect();
        let last = format!("{} |", outcome.exit);
        assert_eq!(
            written[2..4],
            [outcome.backup, outcome.remains.as_str()],
            "{row}: {outcome:?}"
        );
        assert_eq!(written.last(), Some(&last.as_str()), "{row}: {outcome:?}");
    }
    Ok(())
}

fn outcomes(situations: &[Situation]) -> Result<Vec<Outcome>, Box<dyn Error>> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(BTreeMap::new());
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(situation) = situations.get(at) else {
                        break;
                    };
                    match act(situation) {
                        Ok(outcome) => {
                            let mut outcomes = outcomes.lock().expect("no panic");
                            outcomes.insert(at, outcome);
                        }
                        Err(error) => {
                            let what = format!("{}, {}: {error}", situation.what, situation.step);
                            failures.lock().expect("no panic").push(what);
                        }
                    }
                }
            });
        }
    });
    let failures = failures.into_inner()?;
    assert!(failures.is_empty(), "{failures:#?}");
    Ok(outcomes.into_inner()?.into_values().collect())
}

/// Steps that come to the same stand in one row.
fn table(section: &Section, rows: &[(&Situation, &Outcome)]) -> String {
    let mut text = format!("\n## {}\n\n{}\n", section.name, section.about);
    text += "\n| what | when | backup | remains | why that remains | message | exit |\n|---|---|---|---|---|---|---|\n";
    let mut told: Vec<(&str, &Outcome, Vec<&str>)> = Vec::new();
    for (situation, outcome) in rows {
        let same = told
            .iter_mut()
            .find(|(what, known, _)| *what == situation.what && known == outcome);
        match same {
            Some((_, _, steps)) => steps.push(situation.step),
            None => told.push((&situation.what, outcome, vec![situation.step])),
        }
    }
    for (what, outcome, steps) in told {
        let all = rows.iter().filter(|(one, _)| one.what == what).count();
        let when = match steps.len() {
            1 => steps.concat(),
            count if count == all => format!("each of the {all} steps"),
            _ => steps.join("; "),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {what} | {when} | {} | {} | {} | {} | {} |",
            outcome.backup,
            outcome.remains,
            match outcome.reasons.as_str() {
                "" => "-".to_owned(),
                reasons => reasons.replace('|', "\\|"),
            },
            outcome.message.replace('|', "\\|"),
            outcome.exit
        );
    }
    text
}
