//! `etcd-cat report`: one page, written whole and never over a backup.

use crate::cli::environment::{SOON, TestEnv};
use crate::support::samples;

#[test]
fn a_page_is_written_whole_and_only_a_page_is_replaced() {
    let env = TestEnv::indexed();
    let to = env.text("report.html");
    for _ in 0..2 {
        let ran = env
            .run(&["report", "--to", &to, "--as-of", SOON])
            .ends_with(0);
        assert_eq!(ran.stdout, "");
        assert!(
            ran.stderr.starts_with("note: 1 backup in "),
            "{}",
            ran.stderr
        );
    }
    let page = std::fs::read_to_string(&to).expect("written");
    assert!(page.ends_with("</html>\n"));
    assert!(
        page.contains("27be558ad3a9") && page.contains("prod-7xk2p"),
        "{page}"
    );
    let snapshot = env.text("data/snapshot_2024-11-02_030000.db");
    let before = std::fs::read(&snapshot).expect("there");
    let ran = env.run(&["report", "--to", &snapshot]).ends_with(2);
    assert!(ran.stderr.contains("it stays"), "{}", ran.stderr);
    assert_eq!(std::fs::read(&snapshot).expect("there"), before);
    env.run(&["report"]).ends_with(2);
}

#[test]
fn one_cluster_is_a_page_too() {
    let env = TestEnv::indexed();
    let to = env.text("report.html");
    env.run(&["report", "--to", &to, "--cluster", "prod", "--as-of", SOON])
        .ends_with(0);
    let ran = env.run(&[
        "report",
        "--to",
        &to,
        "--cluster",
        "nowhere",
        "--as-of",
        SOON,
    ]);
    assert!(ran.stderr.contains("nowhere"), "{}", ran.stderr);
    let page = std::fs::read_to_string(&to).expect("written");
    assert!(page.contains("No cluster is known."), "{page}");
}

/// Needs `ETCD_CAT_TEST_CHROMIUM`, a Chromium that runs without a window, and Python: it is by hand that both are brought.
#[test]
fn a_real_browser_shows_filters_and_sorts_it_and_asks_nobody_for_anything() {
    let Some(chromium) = std::env::var_os("ETCD_CAT_TEST_CHROMIUM") else {
        eprintln!("skipped: ETCD_CAT_TEST_CHROMIUM names no browser");
        return;
    };
    let env = TestEnv::new();
    let backups = samples::testdata().join("backups");
    let backups = backups.to_str().expect("a plain name");
    env.run(&["index", "-o", "name", "--as-of", SOON, backups]);
    let to = env.text("report.html");
    env.run(&["report", "--to", &to, "--as-of", SOON])
        .ends_with(0);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser.py");
    let mut python = std::process::Command::new("python3");
    let output = python.arg(script).arg(chromium).arg(&to).output();
    let output = output.expect("python3 starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
