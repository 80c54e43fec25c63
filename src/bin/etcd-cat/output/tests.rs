//! Answers as people see them.

use super::*;
use crate::output::text::is_unsafe;
use crate::sample;
use etcd_cat::backup::Backup;
use etcd_cat::restore::{Plan, RestoreCheck, Step};
use etcd_cat::selection::{Outcome, Scope, Selection, TargetVersion};
use etcd_cat::survey::Survey;

fn backups() -> Vec<Backup> {
    vec![
        sample::valid(),
        sample::invalid(),
        sample::orphan(),
        sample::unreadable(),
    ]
}

fn target(version: &str) -> TargetVersion {
    version.parse().expect("a version")
}

fn all(backups: Vec<Backup>, valid_for: Option<&str>) -> Outcome {
    let selection = Selection {
        valid_for: valid_for.map(target),
        scope: Scope::All,
        ..Selection::default()
    };
    selection.apply(backups, sample::now())
}

fn list_of(backups: Vec<Backup>, valid_for: Option<&str>, style: &Style) -> String {
    render(&BackupList(&all(backups, valid_for).shown), style).expect("a list")
}

fn check_of(backups: Vec<Backup>, version: &str) -> RestoreCheck {
    RestoreCheck::new(
        backups,
        target(version),
        Selection::default(),
        sample::now(),
    )
    .expect("one cluster")
}

fn answer(check: &RestoreCheck) -> CheckAnswer<'_> {
    CheckAnswer {
        check,
        difference: None,
    }
}

/// Every page that shows a backup.
fn pages(backup: &Backup, format: Format, width: Option<usize>) -> Vec<String> {
    let style = sample::style(format, width);
    let outcome = all(vec![backup.clone()], None);
    let other = all(vec![backup.clone()], Some("4.17.9"));
    let report = VerifyReport {
        survey: &Survey::default(),
        outcome: &outcome,
    };
    let check = check_of(vec![backup.clone()], "4.17.3");
    [
        render(&BackupList(&outcome.shown), &style),
        render(&BackupList(&other.shown), &style),
        render(&report, &style),
        render(&BackupDetails(backup), &style),
        render(&answer(&check), &style),
    ]
    .map(|page| page.expect("a page"))
    .to_vec()
}

#[test]
fn a_list_on_a_terminal_of_80_columns() {
    let found = list_of(backups(), None, &sample::style(Format::Table, Some(80)));
    let expected = "\
ID            VERDICT  CLUSTER     VERSION  AGE   FINDINGS
3fababababab  valid    prod-x7k2p  4.17.3   90m   -
9aababababab  invalid  prod-x7k2p  4.17.3   27h   digest-mismatch, time-skew
ccababababab  invalid  prod-x7k2p  -        2d3h  snapshot-missing
-             unknown  -           -        -     unreadable
";
    assert_eq!(found, expected);
}

#[test]
fn a_list_with_reasons_on_a_terminal_of_60_columns() {
    let found = list_of(
        backups(),
        Some("4.17.4"),
        &sample::style(Format::Table, Some(60)),
    );
    let expected = "\
ID            VERDICT  CLUSTER     AGAINST
3fababababab  valid    prod-x7k2p  other-version 4.17.3
9aababababab  invalid  prod-x7k2p  other-version 4.17.3,
                                   digest-mismatch
ccababababab  invalid  prod-x7k2p  snapshot-missing
-             unknown  -           unreadable
";
    assert_eq!(found, expected);
}

#[test]
fn a_list_on_a_pipe_has_every_column_and_one_line_each() {
    let found = list_of(backups(), None, &sample::style(Format::Table, None));
    let header = found.lines().next().expect("a header");
    assert_eq!(
        header.split_whitespace().collect::<Vec<_>>(),
        [
            "ID", "VERDICT", "CLUSTER", "VERSION", "TAKEN", "AGE", "SIZE", "FINDINGS"
        ]
    );
    assert_eq!(found.lines().count(), 5);
}

#[test]
fn lists_fit_the_terminal_and_lose_no_finding() {
    for width in [60, 80, 120, 200] {
        for valid_for in [None, Some("4.17.4")] {
            let style = sample::style(Format::Table, Some(width));
            let found = list_of(backups(), valid_for, &style);
            for line in found.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            for code in ["digest-mismatch", "snapshot-missing", "unreadable"] {
                assert!(found.contains(code), "{width}: {code} is cut in\n{found}");
            }
        }
    }
}

#[test]
fn wide_lists_have_everything_on_any_terminal() {
    let found = list_of(backups(), None, &sample::style(Format::Wide, Some(60)));
    for text in [
        "ENCRYPTION",
        "31407",
        "11012",
        "master-0",
        "/copy/b/snapshot_2024-11-02_030005.db",
    ] {
        assert!(found.contains(text), "{text}");
    }
    assert_eq!(found.lines().count(), 5);
}

#[test]
fn names_can_be_given_back() {
    let found = list_of(backups(), None, &sample::style(Format::Name, None));
    assert_eq!(
        found,
        "backup/3fababababab\nbackup/9aababababab\nbackup/ccababababab\n"
    );
}

#[test]
fn verdicts_are_coloured_and_nothing_moves() {
    let plain = sample::style(Format::Table, Some(120));
    let style = Style {
        is_coloured: true,
        ..plain
    };
    let found = list_of(backups(), None, &style);
    assert!(
        found.contains("\u{1b}[1m\u{1b}[31minvalid\u{1b}[0m  prod"),
        "{found:?}"
    );
    let stripped = anstream::adapter::strip_str(&found).to_string();
    assert_eq!(stripped, list_of(backups(), None, &plain));
}

#[test]
fn a_verification_says_what_is_wrong_and_what_to_do() {
    let style = sample::style(Format::Table, Some(80));
    let survey = Survey {
        files: 4,
        bytes: 2048,
        ..Survey::default()
    };
    let outcome = all(
        vec![sample::valid(), sample::orphan(), sample::unreadable()],
        None,
    );
    let report = VerifyReport {
        survey: &survey,
        outcome: &outcome,
    };
    let found = render(&report, &style).expect("a report");
    let expected = "\
valid    3fababababab  4.17.3  prod-x7k2p  2024-11-02T03:00:07Z  90m ago  109.1 MiB
  snapshot       /b/snapshot_2024-11-02_030005.db
    copy         /copy/b/snapshot_2024-11-02_030005.db
  kuberesources  /b/static_kuberesources_2024-11-02_030005.tar.gz
    copy         /copy/b/static_kuberesources_2024-11-02_030005.tar.gz

invalid  ccababababab  -  prod-x7k2p  2024-10-31T01:00:07Z  2d3h ago  74.5 KiB
  kuberesources  /b/static_kuberesources_2024-11-02_030005.tar.gz
    copy         /copy/b/static_kuberesources_2024-11-02_030005.tar.gz
  error    snapshot-missing: no snapshot belongs to it
           to do: find the snapshot of the same time stamp and index its
                  directory; keep the archive, it may hold the only keys

unknown  /b/x.db
  error    unreadable: cannot read /b/x.db: Permission denied (os error 13)
           to do: read it as root if permission was denied; on an I/O error save
                  the other backups on that disk first

3 backups: 1 valid, 1 invalid, 1 unknown; read 4 files, 2.0 KiB
";
    assert_eq!(found, expected);
}

#[test]
fn a_check_answers_first_and_numbers_its_plan() {
    let mut check = check_of(backups(), "4.17.3");
    let step = |command: &str| Step {
        command: Some(command.to_owned()),
        text: "restore".to_owned(),
        place: "recovery host master-0".to_owned(),
    };
    check.plan = Some(Plan {
        warnings: vec!["a restore is a last resort".to_owned()],
        steps: vec![
            step("etcd-cat stage 3fababababab --to /r"),
            step("cluster-restore.sh /r"),
        ],
        space_needed_bytes: 1,
    });
    let found = render(&answer(&check), &sample::style(Format::Table, None)).expect("a page");
    assert!(
        found.starts_with(
            "YES: 3fababababab, taken 2024-11-02 03:00 (90 min of changes are lost)\n\
             It restores 4.17.3. Both files were read to the last byte for this answer.\n\
             Why this one: the only one that qualifies.\n\n"
        ),
        "{found}"
    );
    assert!(
        found.contains("\n  2. recovery host master-0: restore\n       cluster-restore.sh /r\n"),
        "{found}"
    );
    assert!(
        found.contains("  - a restore is a last resort\n"),
        "{found}"
    );
    assert!(
        found.contains("\nDOES NOT QUALIFY, NEAREST FIRST\n"),
        "{found}"
    );
}

#[test]
fn a_check_that_fails_only_by_version_says_so() {
    let check = check_of(vec![sample::valid()], "4.17.4");
    let found = render(&answer(&check), &sample::style(Format::Table, None)).expect("a page");
    assert!(
        found.starts_with("NO: the only backup does not qualify for 4.17.4\n"),
        "{found}"
    );
    assert!(found.contains("the backups are sound"), "{found}");
    assert!(found.contains("  4.17.3: other z-stream\n"), "{found}");
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    for format in [
        Format::Table,
        Format::Wide,
        Format::Json,
        Format::Yaml,
        Format::Name,
    ] {
        for width in [Some(60), None] {
            for page in pages(&sample::hostile(), format, width) {
                let bad = page
                    .chars()
                    .find(|character| *character != '\n' && is_unsafe(*character));
                assert_eq!(bad, None, "{format:?} {page:?}");
            }
        }
    }
}

#[test]
fn every_page_of_every_sample_can_be_drawn_on_any_terminal() {
    for backup in backups() {
        for width in [Some(1), Some(20), Some(60), Some(100_000), None] {
            for page in pages(&backup, Format::Table, width) {
                assert!(page.ends_with('\n'), "{width:?}: {page:?}");
            }
        }
    }
}

#[test]
fn verbose_pages_leave_nothing_out() {
    let usual = sample::style(Format::Table, None);
    let verbose = Style {
        is_verbose: true,
        ..usual
    };
    let outcome = all(vec![sample::invalid()], None);
    let report = VerifyReport {
        survey: &Survey::default(),
        outcome: &outcome,
    };
    let details = sample::invalid();
    let told = |style: &Style| {
        [
            render(&report, style),
            render(&BackupDetails(&details), style),
            render(&BackupList(&outcome.shown), style),
            render(&CodeList, style),
        ]
        .map(|page| page.expect("a page"))
    };
    let [report, details, list, explanations] = told(&verbose);
    for line in [
        "           offset: 4096\n",
        "           pages: 3, 7\n",
        "  info     certificate-expiring: ",
    ] {
        assert!(report.contains(line), "{line:?} in {report}");
        assert!(details.contains(line), "{line:?} in {details}");
    }
    assert!(
        report.contains("  pair           infrastructure name prod-x7k2p in both\n"),
        "{report}"
    );
    assert!(list.contains("certificate-expiring"), "{list}");
    assert!(explanations.contains("\nWhat to do\n"), "{explanations}");
    for (usual, verbose) in told(&usual)
        .iter()
        .zip([&report, &details, &list, &explanations])
    {
        assert!(usual.len() < verbose.len(), "{verbose}");
    }
    let json = |style| render(&BackupList(&outcome.shown), &style).expect("a document");
    let [usual, verbose] = [usual, verbose].map(|style| Style {
        format: Format::Json,
        ..style
    });
    assert_eq!(json(usual), json(verbose));
}
