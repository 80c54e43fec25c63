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
use std::fmt::Write as _;
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
    let outcomes: Vec<Outcome> = outcomes.into_inner()?.into_values().collect();
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
