//! Archives as they are made, as they are damaged, and as somebody would make them to do harm.

mod build;
mod damage;
mod facts;
mod hostile;

use etcd_cat::kuberesources::{ArchiveLimits, Kuberesources, read};
use etcd_cat::kubernetes::encryption::KeyRing;
use std::time::{Duration, Instant};

/// A key that no output may show.
const SECRET: &str = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";

fn learn(bytes: &[u8]) -> (Kuberesources, Option<KeyRing>) {
    let started = Instant::now();
    let learnt = read(
        bytes,
        u64::try_from(bytes.len()).expect("fits"),
        &ArchiveLimits::default(),
    )
    .expect("memory can be read");
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "took {:?}",
        started.elapsed()
    );
    let shown = format!(
        "{learnt:?} {}",
        learnt
            .0
            .findings
            .iter()
            .map(|f| f.message.as_str())
            .collect::<String>()
    );
    assert!(
        !shown.contains(SECRET) && !shown.contains("AAAAAAAA"),
        "a secret was shown"
    );
    assert!(shown.len() < 200_000, "findings are not endless");
    learnt
}

fn codes(facts: &Kuberesources) -> Vec<&'static str> {
    let mut codes: Vec<&str> = facts
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect();
    codes.dedup();
    codes
}

fn text(facts: &Kuberesources) -> String {
    facts
        .findings
        .iter()
        .map(|finding| format!("{}: {}\n", finding.code, finding.message))
        .collect()
}
