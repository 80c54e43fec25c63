//! The judge of what Prometheus reads: promtool, as `tests/run` brings it.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// Runs promtool with `input` on its standard input; `None` where there is none, which is said.
pub(crate) fn promtool(arguments: &[&str], input: &str) -> Option<Output> {
    let Some(program) = std::env::var_os("ETCD_CAT_TEST_PROMTOOL") else {
        eprintln!("skipped: ETCD_CAT_TEST_PROMTOOL names no promtool");
        return None;
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    let mut stdin = child.stdin.take().expect("asked for");
    // It may end before it has read all of it.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    Some(child.wait_with_output().expect("promtool ends"))
}

/// Stops unless promtool has nothing to say against it.
pub(crate) fn agrees(arguments: &[&str], input: &str) {
    let Some(output) = promtool(arguments, input) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}\n{input}");
    // It ends well, too, after it has complained about a name or a missing help.
    assert!(
        arguments[0] != "check" || arguments[1] != "metrics" || said.is_empty(),
        "{said}"
    );
}

#[test]
fn it_is_no_judge_that_says_yes_to_everything() {
    for wrong in ["x{a=\"b} 1\n", "x{} one\n", "x 1\nx 1\n"] {
        if let Some(output) = promtool(&["check", "metrics"], wrong) {
            assert!(!output.status.success(), "{wrong:?}");
        }
    }
}
