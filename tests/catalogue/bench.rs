//! How long loading takes. Run with `cargo test --release --test catalogue -- --ignored --nocapture loading`.

use crate::sample;
use etcd_cat::catalogue::{Catalogue, CatalogueLocation};
use std::time::Instant;

fn measure(backups: u64) -> Result<String, Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("catalogue.redb");
    let catalogue = Catalogue::new(CatalogueLocation::Redb(path.clone()));
    let started = Instant::now();
    for first in (0..backups).step_by(1000) {
        let changes = (first..backups.min(first + 1000)).flat_map(sample::backup);
        catalogue.record(changes.collect())?;
    }
    let recorded = started.elapsed();
    let started = Instant::now();
    let rows = catalogue.reader()?.rows()?.len();
    let rows_read = started.elapsed();
    let started = Instant::now();
    let files = catalogue.reader()?.files()?.len();
    let files_read = started.elapsed();
    let started = Instant::now();
    let contents = catalogue.load()?;
    let loaded = started.elapsed();
    let started = Instant::now();
    for number in 0..1000 {
        catalogue.record(sample::backup(backups + number))?;
    }
    let single = started.elapsed() / 1000;
    let size = std::fs::metadata(path)?.len() >> 20;
    Ok(format!(
        "{backups} backups, {size} MiB: record {recorded:?}, rows {rows_read:?} ({rows}), files {files_read:?} \
         ({files}), load {loaded:?} ({}), one backup recorded {single:?}",
        contents.snapshots.len()
    ))
}

#[test]
#[ignore = "takes minutes and asserts nothing"]
#[expect(clippy::print_stderr, reason = "this is for people")]
fn loading() -> Result<(), Box<dyn std::error::Error>> {
    for backups in [1000, 10_000, 100_000] {
        eprintln!("{}", measure(backups)?);
    }
    Ok(())
}
