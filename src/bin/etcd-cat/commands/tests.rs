//! Exit codes and notes of the commands.

use super::*;
use crate::output::{BackupList, Format};
use crate::reply::Body;
use crate::sample;
use etcd_cat::discovery::SkippedKind;
use etcd_cat::restore::RestoreCheck;
use etcd_cat::selection::TargetVersion;
use etcd_cat::source::ObjectId;
use etcd_cat::survey::Checked;

fn target(version: &str) -> Selection {
    Selection {
        valid_for: Some(version.parse::<TargetVersion>().expect("a version")),
        ..Selection::default()
    }
}

/// Runs `ask` as if it had been called with these arguments.
fn called<T>(line: &str, ask: impl FnOnce(&Invocation<'_>) -> T) -> T {
    let words = line.split_whitespace();
    let cli = <Cli as clap::Parser>::try_parse_from(words).expect("a command line");
    let progress = TerminalMonitor::new(false, true).expect("signals can be listened to");
    ask(&Invocation {
        global: &cli.global,
        style: sample::style(cli.global.output, None),
        progress: &progress,
        damage: &CatalogueDamage::default(),
    })
}

fn text(body: Body) -> String {
    let mut text = Vec::new();
    body.write(&mut text).expect("memory takes everything");
    String::from_utf8(text).expect("UTF-8")
}

fn listed(backups: Vec<Backup>, selection: &Selection) -> Reply {
    let style = sample::style(Format::Table, None);
    let tell = |outcome: Outcome, exit| Reply::new(&BackupList(&outcome.shown), &style, exit);
    list::reply(backups, 0, selection, &style, tell).expect("an answer")
}

#[test]
fn a_list_is_good_when_nothing_in_it_is_bad() {
    let plain = Selection::default();
    assert_eq!(listed(vec![sample::valid()], &plain).exit, Exit::Good);
    assert_eq!(
        listed(vec![sample::valid(), sample::invalid()], &plain).exit,
        Exit::Bad
    );
    assert_eq!(
        listed(Vec::new(), &plain).exit,
        Exit::Bad,
        "nothing there is no success"
    );
    let narrowed = Selection {
        cluster: Some("other".to_owned()),
        ..Selection::default()
    };
    assert_eq!(
        listed(vec![sample::valid()], &narrowed).exit,
        Exit::Bad,
        "filters left nothing"
    );
}

#[test]
fn with_a_target_one_qualifying_backup_is_enough() {
    let backups = || vec![sample::valid(), sample::invalid()];
    for scope in [Scope::Usual, Scope::All] {
        let selection = |version| Selection {
            scope,
            ..target(version)
        };
        assert_eq!(listed(backups(), &selection("4.17.3")).exit, Exit::Good);
        assert_eq!(listed(backups(), &selection("4.17.4")).exit, Exit::Bad);
    }
}

#[test]
fn what_is_left_out_is_said() {
    let notes = listed(vec![sample::valid(), sample::invalid()], &target("4.17.3")).notes;
    assert_eq!(
        notes,
        ["1 other backup does not qualify for 4.17.3; --all shows why"]
    );
    let notes = listed(Vec::new(), &Selection::default()).notes;
    assert!(
        notes
            .iter()
            .any(|note| note.contains("etcd-cat index DIRECTORY")),
        "{notes:?}"
    );
}

#[test]
fn what_is_not_looked_at_is_said_with_what_to_do() {
    assert_eq!(not_looked_at_note(0, "--cluster"), None);
    let note = not_looked_at_note(90_000, "--cluster").unwrap_or_default();
    for words in ["90000 older backups", "--cluster", "etcd-cat index"] {
        assert!(note.contains(words), "{words}: {note}");
    }
}

#[test]
fn an_unreadable_file_fails_the_run_and_spoils_no_answer() {
    let survey = Survey {
        backups: vec![sample::valid()],
        skipped: vec![
            Skipped {
                id: ObjectId::from("/b/readme"),
                reason: "no backup by its name".to_owned(),
                kind: SkippedKind::NotABackup,
                remedy: None,
                is_error: false,
            },
            Skipped {
                id: ObjectId::from("/b/x.db"),
                reason: "Permission denied (os error 13)".to_owned(),
                kind: SkippedKind::Unreadable,
                remedy: None,
                is_error: true,
            },
        ],
        files: 2,
        bytes: 10,
        ..Survey::default()
    };
    let answer = called("etcd-cat verify", |invocation| {
        report(survey, &Selection::default(), invocation).expect("an answer")
    });
    let text = text(answer.body);
    assert!(text.contains("3fababababab"), "{text}");
    let failure = answer.failure.expect("a failure");
    assert_eq!(failure.exit, Exit::Failed);
    assert_eq!(
        failure.to_string(),
        "/b/x.db was not read: Permission denied (os error 13)"
    );
}

fn check_args() -> crate::args::CheckArgs {
    let words = ["etcd-cat", "check", "--from-cluster"];
    let Command::Check(args) = <Cli as clap::Parser>::parse_from(words).command else {
        std::process::abort();
    };
    args
}

#[test]
fn a_check_exits_by_whether_something_qualifies() {
    for (version, expected, text) in [
        ("4.17.3", Exit::Good, "backup/3fababababab\n"),
        ("4.17.4", Exit::Bad, ""),
    ] {
        let check = RestoreCheck::new(
            vec![sample::valid()],
            version.parse().expect("a version"),
            Selection::default(),
            sample::now(),
        );
        let checked = Checked {
            check: check.expect("one cluster"),
            survey: Survey::default(),
        };
        let answer = called("etcd-cat check --from-cluster -o name", |invocation| {
            check::reply(checked, &check_args(), invocation).expect("an answer")
        });
        assert_eq!(
            (answer.exit, self::text(answer.body).as_str()),
            (expected, text)
        );
    }
}

#[test]
fn a_backup_that_was_taken_is_as_good_as_its_verdict() {
    use etcd_cat::take::{TakeOutcome, TakeReport};
    let run = |outcome, backup| TakeReport {
        outcome,
        backup,
        ..TakeReport::default()
    };
    let style = sample::style(Format::Json, None);
    for (run, expected) in [
        (run(TakeOutcome::Taken, Some(sample::valid())), Exit::Good),
        (run(TakeOutcome::Taken, Some(sample::invalid())), Exit::Bad),
        (run(TakeOutcome::Taken, None), Exit::Bad),
        (run(TakeOutcome::Planned, None), Exit::Good),
        (run(TakeOutcome::Skipped, Some(sample::valid())), Exit::Good),
    ] {
        let outcome = run.outcome;
        let answer = backup::reply(run, &style).expect("an answer");
        assert_eq!(answer.exit, expected, "{outcome:?}");
    }
}

#[test]
fn an_unknown_reference_names_the_way_out() {
    let failure = find("5555", &[sample::valid()]).expect_err("nothing is called so");
    let mut text = Vec::new();
    failure.write(&mut text).expect("memory takes everything");
    let text = String::from_utf8(text).expect("UTF-8");
    assert_eq!(
        text,
        "error: no backup is called \"5555\"\n  hint: see what there is: etcd-cat list --all\n"
    );
}

#[test]
fn offline_refuses_what_needs_oc() {
    for (line, name) in [
        (
            "etcd-cat check --from-cluster --offline",
            "check --from-cluster",
        ),
        ("etcd-cat --offline backup --to /b", "backup"),
        ("etcd-cat backup --to /b --dry-run --offline", "backup"),
    ] {
        let cli = <Cli as clap::Parser>::try_parse_from(line.split_whitespace()).expect(line);
        let failure = called(line, |invocation| run(&cli, invocation)).expect_err(line);
        let found = (failure.code, failure.exit, failure.to_string());
        let text = format!("{name} asks the cluster through oc, and --offline forbids it");
        assert_eq!(found, (code::USAGE, Exit::Failed, text), "{line}");
    }
}
